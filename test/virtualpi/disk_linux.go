package virtualpi

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// A Disk is a file that holds an ext4 file system, behind a volatile cache of a server of its own: what a machine wrote
// and did not flush is gone when it is cut off, as with a real disk's cache. It outlives machines; one has it at a time.
type Disk struct {
	File string
	// IgnoreFlushes makes the cache break its word, as the cheapest cards do: a flush succeeds and makes nothing durable.
	IgnoreFlushes bool
}

// diskBytes is the size of a disk, of which the file takes what was written.
const diskBytes = 64 << 20

// NewDisk makes an empty file system in a new file.
func NewDisk(ctx context.Context, mkfs, file string) (*Disk, error) {
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		return nil, err
	}
	if err := os.Truncate(file, diskBytes); err != nil {
		return nil, err
	}
	_, err := run(ctx, "", mkfs, "-q", "-F", file)
	return &Disk{File: file}, err
}

// Check brings the file system in order as a Pi does at its start: it replays the journal, and mends only what needs no
// answer from a person. It returns what e2fsck, whose path it is given, said.
func (d *Disk) Check(ctx context.Context, e2fsck string) (string, error) {
	const mended = 1 // the exit status of a file system that is in order now
	said, err := exec.CommandContext(ctx, e2fsck, "-f", "-p", d.File).CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == mended {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("e2fsck -fp: %w: %s", err, said)
	}
	return strings.ReplaceAll(strings.TrimSpace(string(said)), "\n", "; "), err
}

// serve starts the disk's server and returns the end of its connection that QEMU inherits.
func (m *Machine) serve(ctx context.Context, d *Disk) (*os.File, error) {
	ours, theirs, err := socketFiles()
	if err != nil {
		return nil, err
	}
	defer ours.Close() // the server has a copy
	cache := "cache=writeback"
	if d.IgnoreFlushes {
		cache = "cache=unsafe"
	}
	server := exec.CommandContext(ctx, "nbdkit", "--single", "--filter=cache", "file", d.File, cache)
	server.Stdin, server.Stdout = ours, ours
	if err := m.launch(server); err != nil {
		theirs.Close()
		return nil, err
	}
	return theirs, nil
}

// diskArgs are QEMU's arguments for a USB disk with a write cache, whose server is at the inherited file descriptor.
func diskArgs(descriptor int) []string {
	return []string{
		"-drive", fmt.Sprintf("if=none,id=disk,format=raw,cache=writeback,file.driver=nbd,file.server.type=fd,file.server.str=%d", descriptor),
		"-device", "usb-storage,drive=disk,bus=usb-bus.0",
	}
}
