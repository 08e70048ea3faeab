package dashboard

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The buses are looked at for who may write, by one at a time.
func TestScan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := New(Options{Scan: func(context.Context) []string {
			time.Sleep(time.Second)
			return []string{"i2c-1 0x76: bme280"}
		}})
		ask := func(from string) *httptest.ResponseRecorder {
			w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "http://localhost/api/v1/scan", nil)
			r.RemoteAddr = from
			d.ServeHTTP(w, r)
			return w
		}
		if w := ask("192.168.1.9:40000"); w.Code != http.StatusForbidden {
			t.Errorf("from elsewhere: %d %s", w.Code, w.Body)
		}
		first := make(chan *httptest.ResponseRecorder)
		go func() { first <- ask("127.0.0.1:40000") }()
		synctest.Wait()
		if w := ask("127.0.0.1:40001"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("a second one: %d %s", w.Code, w.Body)
		}
		if w := <-first; w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != `{"found":["i2c-1 0x76: bme280"]}` {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
