// Package web is the receiver's pages: what every device measures now and measured before, whether each of its numbers
// has arrived, and what it raised alerts about.
//
//	GET /                the overview of all devices; of the one device, where there is no other
//	GET /devices/{id}    one device
//	GET /static/         the page's files, those shared with the gateway's own page under /static/ui/
//
// The pages are plain ES modules that read the receiver's JSON API and its live stream, under /api/v1 of the same origin.
// Everything is embedded; nothing is loaded from elsewhere. Nothing can be changed from here: whoever may see a page sees
// what the API shows, and no more.
//
// The package knows nothing of the API's server or of the database.
package web

import (
	"embed"
	"net/http"

	"holdfast"
	"holdfast/internal/ui"
)

//go:embed static
var static embed.FS

// Handler returns the handler of the pages, to be mounted at /. What is no page is answered with 404.
func Handler() http.Handler {
	own := ui.NewFiles(ui.Sub(static, "static"))
	page := own.File("index.html")
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", page)
	mux.HandleFunc("GET /devices/{id}", func(w http.ResponseWriter, r *http.Request) {
		if holdfast.CheckDevice(r.PathValue("id")) != nil {
			http.Error(w, "no device has such an id", http.StatusNotFound)
			return
		}
		page.ServeHTTP(w, r) // whether the device is known, the page asks the API
	})
	mux.Handle("GET /favicon.ico", ui.Shared().File("icon.svg"))
	mux.Handle("GET /static/", http.StripPrefix("/static/", own))
	mux.Handle("GET /static/ui/", http.StripPrefix("/static/ui/", ui.Shared()))
	return ui.Secure(mux)
}
