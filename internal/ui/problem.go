package ui

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// A problem is the body of an answer that is an error (RFC 9457). Detail says what to do.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// Problem answers with an error.
func Problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(problem{http.StatusText(status), status, detail}) // the client has gone: nobody to tell
}

// Routed serves what mux has a route for, and answers everything else with a problem. see is where the routes are listed,
// empty for nowhere.
func Routed(mux *http.ServeMux, see string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refusal, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		said := &unsaid{header: w.Header()}
		refusal.ServeHTTP(said, r)
		detail := "nothing is at " + r.URL.Path
		switch {
		case said.status == http.StatusMethodNotAllowed:
			detail = fmt.Sprintf("%s takes %s, not %s", r.URL.Path, w.Header().Get("Allow"), r.Method)
		case see != "":
			detail += ": see " + see
		}
		Problem(w, said.status, detail)
	})
}

// unsaid keeps an answer's status and header, and drops its body.
type unsaid struct {
	header http.Header
	status int
}

func (u *unsaid) Header() http.Header            { return u.header }
func (u *unsaid) Write(body []byte) (int, error) { return len(body), nil }
func (u *unsaid) WriteHeader(status int)         { u.status = status }
