package virtualpi

import (
	"fmt"
	"io"
)

// An archive writes the "newc" cpio format that the kernel unpacks into its first root file system. Archives may be
// concatenated: files of a later one lie over those of an earlier one.
// Format: Documentation/driver-api/early-userspace/buffer-format.rst in the kernel's source.
type archive struct {
	w     io.Writer
	inode int
	err   error // the first one; everything behind it is left out
}

const (
	cpioFolder     = 0o040755
	cpioFile       = 0o100644
	cpioExecutable = 0o100755
)

// add writes one file or folder. name has no leading slash; its folder must have been added before.
func (a *archive) add(name string, mode uint32, data []byte) {
	a.inode++
	a.entry(name, a.inode, mode, data)
}

// close writes the trailer and returns the first error of all writes. It does not close the underlying writer.
func (a *archive) close() error {
	a.entry("TRAILER!!!", 0, 0, nil)
	return a.err
}

func (a *archive) entry(name string, inode int, mode uint32, data []byte) {
	const owner, group, links, time, device = 0, 0, 1, 0, 0
	header := fmt.Sprintf("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
		inode, mode, owner, group, links, time, len(data), device, device, device, device, len(name)+1, 0, name)
	a.write([]byte(header))
	a.write(data)
}

// write pads to a multiple of four, as the format wants it behind the name and behind the data.
func (a *archive) write(data []byte) {
	for _, part := range [][]byte{data, make([]byte, -len(data)&3)} {
		if a.err == nil {
			_, a.err = a.w.Write(part)
		}
	}
}
