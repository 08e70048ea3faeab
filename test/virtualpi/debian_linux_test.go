package virtualpi

import (
	"testing"
	"testing/fstest"
)

func TestMirror(t *testing.T) {
	t.Parallel()
	const deb822 = "Types: deb\n# URIs: http://commented.example/debian\nURIs: http://near.example/debian\nSuites: bookworm\n"
	for _, test := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"deb822", map[string]string{"sources.list.d/debian.sources": deb822}, "http://near.example/debian"},
		{"one line", map[string]string{"sources.list": "# deb http://off.example/debian x main\ndeb http://old.example/debian bookworm main\n"}, "http://old.example/debian"},
		{"one line with options", map[string]string{"sources.list": "deb [arch=amd64 trusted=yes] https://old.example/debian/ bookworm main\n"}, "https://old.example/debian/"},
		{"both", map[string]string{"sources.list": "deb http://old.example/debian x main\n", "sources.list.d/debian.sources": deb822}, "http://near.example/debian"},
		{"not Debian", map[string]string{"sources.list": "deb http://archive.example/ubuntu noble main\n"}, "http://deb.debian.org/debian"},
		{"none", nil, "http://deb.debian.org/debian"},
	} {
		t.Run(test.name, func(t *testing.T) {
			etc := fstest.MapFS{}
			for name, text := range test.files {
				etc[name] = &fstest.MapFile{Data: []byte(text)}
			}
			if got := mirror(etc); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
