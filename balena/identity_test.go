package balena

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast"
)

// root returns a file system that holds the given files.
func root(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const cpuinfo = "Hardware\t: BCM2835\nRevision\t: 9000c1\nSerial\t\t: 00000000abcdef01\nModel\t\t: Raspberry Pi Zero W\n"

func TestIdentify(t *testing.T) {
	t.Parallel()
	tree := map[string]string{"proc/device-tree/serial-number": "10000000abcdef01\x00", "proc/cpuinfo": cpuinfo}
	tests := []struct {
		name       string
		configured string
		uuid       string
		files      map[string]string
		id         string
		source     Source
	}{
		{"configured", "pi-7", "0123abcd", tree, "pi-7", SourceConfig},
		{"configured, mended", " kitchen pi (left)\n", "", tree, "kitchen-pi-left-", SourceConfig},
		{"configured, cut", strings.Repeat("a", 70), "", tree, strings.Repeat("a", 64), SourceConfig},
		{"configured, reserved", "broadcast", "0123abcd", tree, "0123abcd", SourceBalena},
		{"configured, nothing left", "///", "0123abcd", tree, "0123abcd", SourceBalena},
		{"balena", "", "0123abcd", tree, "0123abcd", SourceBalena},
		{"device tree", "", "", tree, "10000000abcdef01", SourceSerial},
		{"cpuinfo", "", "", map[string]string{"proc/cpuinfo": cpuinfo}, "00000000abcdef01", SourceSerial},
		{"emulator", "", "", map[string]string{"proc/cpuinfo": strings.Replace(cpuinfo, "abcdef01", "00000000", 1)}, "", SourceRandom},
		{"no Pi", "", "", map[string]string{"proc/cpuinfo": "model name\t: Intel\n"}, "", SourceRandom},
		{"no /proc", "", "", nil, "", SourceRandom},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "data")
			o := IdentityOptions{Configured: tt.configured, Folder: folder, Root: root(t, tt.files), Getenv: func(name string) string {
				if name == "BALENA_DEVICE_UUID" {
					return tt.uuid
				}
				return ""
			}}
			id, source, err := Identify(o)
			if err != nil || source != tt.source || tt.id != "" && id != tt.id || holdfast.CheckDevice(id) != nil {
				t.Errorf("got %q by %s, %v, want %q by %s", id, source, err, tt.id, tt.source)
			}
			again, _, err := Identify(o)
			if again != id || err != nil {
				t.Errorf("the second time %q, %v, want %q", again, err, id)
			}
			if _, err := os.Stat(folder); os.IsNotExist(err) != (tt.source != SourceRandom) {
				t.Errorf("folder of an id by %s: %v", source, err)
			}
		})
	}
}

// random returns options by which nothing but a random id can be found.
func random(folder string) IdentityOptions {
	return IdentityOptions{Folder: folder, Root: folder, Getenv: func(string) string { return "" }}
}

func TestRandomIdentity(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	id, _, err := Identify(random(folder))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "device-id")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file %v, %v, want mode 0600", info, err)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*")); len(left) != 1 {
		t.Errorf("files %q, want the one", left)
	}
	if other, _, _ := Identify(random(t.TempDir())); other == id {
		t.Errorf("two devices are both %q", id)
	}

	// A damaged file is replaced, once.
	if err := os.WriteFile(path, []byte("\x00\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	mended, _, err := Identify(random(folder))
	if err != nil || mended == id || holdfast.CheckDevice(mended) != nil {
		t.Errorf("damaged: %q, %v", mended, err)
	}
	if again, _, _ := Identify(random(folder)); again != mended {
		t.Errorf("after mending %q, want %q", again, mended)
	}
}

// Where nothing can be kept there is an id all the same, and an error that says so.
func TestIdentityWithoutFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	id, source, err := Identify(random(filepath.Join(file, "data")))
	if err == nil || source != SourceRandom || holdfast.CheckDevice(id) != nil {
		t.Errorf("got %q by %s, %v, want a random id and an error", id, source, err)
	}

	// A file that is there and cannot be read is not replaced.
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "device-id"), 0o700); err != nil {
		t.Fatal(err)
	}
	if id, _, err := Identify(random(folder)); err == nil || holdfast.CheckDevice(id) != nil {
		t.Errorf("unreadable: %q, %v, want an error", id, err)
	}
}
