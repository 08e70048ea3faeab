package dashboard

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"holdfast/internal/ui"
)

// writer lets only those requests through that may change something.
func (d *Dashboard) writer(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.mayWrite(r) {
			next(w, r)
			return
		}
		hint := "writing from another machine needs the token: send it as Authorization: Bearer …"
		if d.options.Token == "" {
			hint = "writing from another machine is off: set DASHBOARD_TOKEN on the device and send it as Authorization: Bearer …"
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="holdfast"`)
		ui.Problem(w, http.StatusForbidden, hint)
	})
}

func (d *Dashboard) mayWrite(r *http.Request) bool {
	return hasToken(r, d.options.Token) || fromDevice(r)
}

// hasToken reports whether the request carries the token. Hashes are compared, so that time tells nothing of its length.
func hasToken(r *http.Request, token string) bool {
	scheme, sent, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token == "" || !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	got, want := sha256.Sum256([]byte(sent)), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// fromDevice reports whether the request was made on the device itself. A loopback peer alone does not say so: a page
// elsewhere may have pointed its own name at 127.0.0.1 (DNS rebinding: then Host gives it away), and a proxy on the device
// speaks for others (then it says for whom).
func fromDevice(r *http.Request) bool {
	for _, header := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if r.Header.Get(header) != "" {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return false
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	switch strings.ToLower(strings.Trim(host, "[]")) {
	case "localhost", "127.0.0.1", "::1":
		return true
	}
	return false
}
