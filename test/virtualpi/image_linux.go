package virtualpi

import (
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// An Image is what a machine boots: three files in the cache folder.
type Image struct {
	Kernel string // Debian's armmp kernel
	Tree   string // the board's device tree
	Root   string // cpio archive of the root file system: busybox, kernel modules, init
}

// modules are the drivers of the devices that the tests use, by folder of the root file system: I²C, GPIO and Ethernet for
// every machine, and a USB disk with ext4 for one that has it.
var modules = []struct {
	folder string
	names  []string
}{
	{"modules", []string{"i2c-imx", "i2c-dev", "gpio-mxc", "fec", "micrel"}},
	{"modules/disk", []string{"usb-storage", "sd_mod", "crc32c_generic", "ext4", "phy-mxs-usb", "usbmisc_imx", "ci_hdrc_imx"}},
}

//go:embed init.sh
var initScript []byte

// CacheDir returns the folder that keeps images: $HOLDFAST_CACHE, or holdfast/virtual-pi in the user's cache folder.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir() // an empty environment still has that one
	}
	return filepath.Abs(cmp.Or(os.Getenv("HOLDFAST_CACHE"), filepath.Join(dir, "holdfast", "virtual-pi")))
}

// Prepare returns the image that is in the cache folder, and builds it first where there is none: about 55 MB of
// downloads. Interrupted at any point it leaves no half image; two at a time do no harm.
func Prepare(ctx context.Context, cache string) (*Image, error) {
	dir := filepath.Join(cache, recipe())
	image := &Image{filepath.Join(dir, "vmlinuz"), filepath.Join(dir, "board.dtb"), filepath.Join(dir, "root.cpio")}
	if _, err := os.Stat(dir); err == nil {
		return image, nil
	}
	if err := build(ctx, cache, dir); err != nil {
		return nil, fmt.Errorf("virtual pi image: %w", err)
	}
	return image, nil
}

// recipe names the image after all that goes into it, so that a changed recipe never boots an old image.
func recipe() string {
	sum := sha256.Sum256([]byte(suite + fmt.Sprint(modules) + string(initScript)))
	return fmt.Sprintf("%s-%x", suite, sum[:4])
}

func build(ctx context.Context, cache, dir string) error {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	removeStale(cache)
	work, err := os.MkdirTemp(cache, "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)

	d, err := newDebian(ctx, filepath.Join(work, "apt"))
	if err != nil {
		return err
	}
	kernel, err := d.kernel(ctx)
	if err != nil {
		return err
	}
	from := filepath.Join(work, "files")
	for _, pkg := range []string{kernel, "busybox-static"} {
		if err := d.unpack(ctx, pkg, from); err != nil {
			return err
		}
	}
	to := filepath.Join(work, "image")
	if err := assemble(ctx, kernel, from, to); err != nil {
		return err
	}
	if err := os.Rename(to, dir); err != nil && !errors.Is(err, fs.ErrExist) { // another process was faster
		return err
	}
	return nil
}

// assemble makes the image's three files out of the unpacked packages.
func assemble(ctx context.Context, kernel, from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	version := strings.TrimPrefix(kernel, "linux-image-")
	for name, file := range map[string]string{
		"vmlinuz":   filepath.Join("boot", "vmlinuz-"+version),
		"board.dtb": filepath.Join("usr", "lib", kernel, "imx6q-sabrelite.dtb"),
	} {
		if err := os.Rename(filepath.Join(from, file), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	if _, err := run(ctx, from, "/sbin/depmod", "-b", from, version); err != nil {
		return err
	}
	root, err := os.Create(filepath.Join(to, "root.cpio"))
	if err != nil {
		return err
	}
	if err := writeRoot(ctx, &archive{w: root}, from, filepath.Join(from, "lib", "modules", version)); err != nil {
		root.Close()
		return err
	}
	return root.Close()
}

// writeRoot writes the root file system. Modules are numbered, so that init loads them in the order of their names.
func writeRoot(ctx context.Context, a *archive, from, moduleDir string) error {
	for _, folder := range []string{"bin", "proc", "sys", "dev", "tmp"} {
		a.add(folder, cpioFolder, nil)
	}
	a.add("init", cpioExecutable, initScript)
	busybox, err := os.ReadFile(filepath.Join(from, "bin", "busybox"))
	if err != nil {
		return err
	}
	a.add("bin/busybox", cpioExecutable, busybox)

	var names []string
	written := 0
	for _, m := range modules {
		names = append(names, m.names...)
		order, err := readModuleOrder(moduleDir, names)
		if err != nil {
			return err
		}
		a.add(m.folder, cpioFolder, nil)
		for i, file := range order[written:] { // the rest stands in the folders before
			data, err := readModule(ctx, filepath.Join(moduleDir, file))
			if err != nil {
				return err
			}
			a.add(fmt.Sprintf("%s/%02d-%s.ko", m.folder, i, moduleName(file)), cpioFile, data)
		}
		written = len(order)
	}
	return a.close()
}

func readModuleOrder(dir string, names []string) ([]string, error) {
	dep, err := os.Open(filepath.Join(dir, "modules.dep"))
	if err != nil {
		return nil, err
	}
	defer dep.Close()
	builtin, err := os.Open(filepath.Join(dir, "modules.builtin"))
	if err != nil {
		return nil, err
	}
	defer builtin.Close()
	return moduleOrder(names, dep, builtin)
}

// readModule returns a module as busybox loads it, which is not compressed.
func readModule(ctx context.Context, file string) ([]byte, error) {
	if !strings.HasSuffix(file, ".xz") {
		return os.ReadFile(file)
	}
	text, err := run(ctx, "", "xz", "-dc", file)
	return []byte(text), err
}

// layOver returns a file with the root file system: the image's own, and behind it an archive with the caller's files. It
// has no name any more, and is gone with its last user.
func layOver(root string, files map[string]string) (f *os.File, err error) {
	base, err := os.Open(root)
	if err != nil {
		return nil, err
	}
	defer base.Close()
	if f, err = os.CreateTemp("", "virtual-pi-"); err != nil {
		return nil, err
	}
	defer func() {
		os.Remove(f.Name())
		if err != nil {
			f.Close()
		}
	}()
	if _, err := io.Copy(f, base); err != nil {
		return nil, err
	}
	a := &archive{w: f}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		data, err := os.ReadFile(files[name])
		if err != nil {
			return nil, err
		}
		a.add(strings.TrimPrefix(path.Clean(name), "/"), cpioExecutable, data)
	}
	return f, a.close()
}

// removeStale removes what an interrupted build left behind. A build that still runs is younger.
func removeStale(cache string) {
	left, _ := filepath.Glob(filepath.Join(cache, "new-*"))
	for _, dir := range left {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > time.Hour {
			os.RemoveAll(dir)
		}
	}
}
