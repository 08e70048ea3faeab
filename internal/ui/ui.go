// Package ui holds what the project's two pages share, the Pi's own and the receiver's: the style sheet, the plain ES
// modules that both import (formatting, DOM, charts, the live stream), uPlot, the way that all of it is served, and the form of
// an answer that is an error.
//
// Everything is embedded in the binary. There is no build chain and nothing is loaded from elsewhere, so that a page works
// on a network without a way out. A page brings its own files, in its own package, and mounts the shared ones under
// /static/ui/:
//
//	mux.Handle("GET /{$}", own.File("index.html"))
//	mux.Handle("GET /static/", http.StripPrefix("/static/", own))
//	mux.Handle("GET /static/ui/", http.StripPrefix("/static/ui/", ui.Shared()))
//	handler := ui.Secure(mux)
//
// What the pages promise: no inline script and no inline style (see [Secure]), text of others enters only as text, and
// what is wrong is said in words.
package ui

import (
	"embed"
	"io/fs"
)

//go:embed static
var static embed.FS

// Shared returns the files that both pages use.
func Shared() *Files {
	return NewFiles(Sub(static, "static"))
}

// Sub returns the folder dir of an embedded file system. It panics where there is none, which the build rules out.
func Sub(fsys fs.FS, dir string) fs.FS {
	sub, err := fs.Sub(fsys, dir)
	if err != nil {
		panic("ui: " + err.Error())
	}
	return sub
}
