package ui

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"time"
)

// contentTypes is a table of our own because the system's differs from machine to machine, and a module with a wrong type
// is not run.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
}

// Files serves a fixed set of embedded files. Each answers with a validator of its content: a browser asks every time and
// is told "unchanged", so that a page never mixes the files of two versions.
type Files struct {
	files map[string]file
}

type file struct {
	data []byte
	kind string
	etag string
}

// NewFiles reads all files of fsys whose type it knows. It panics if one cannot be read, which cannot happen to embedded
// files.
func NewFiles(fsys fs.FS) *Files {
	f := &Files{files: map[string]file{}}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		kind := contentTypes[path.Ext(name)]
		if err != nil || entry.IsDir() || kind == "" {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		sum := sha256.Sum256(data)
		f.files[name] = file{data, kind, `"` + hex.EncodeToString(sum[:8]) + `"`}
		return err
	})
	if err != nil {
		panic("ui: " + err.Error())
	}
	return f
}

// ServeHTTP serves the file that the request's path names.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.serve(w, r, r.URL.Path)
}

// File returns a handler that serves the one file of that name, whatever the request's path.
func (f *Files) File(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.serve(w, r, name) })
}

func (f *Files) serve(w http.ResponseWriter, r *http.Request, name string) {
	file, ok := f.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Type", file.kind)
	header.Set("Cache-Control", "no-cache") // keep it, but ask each time
	header.Set("ETag", file.etag)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(file.data))
}
