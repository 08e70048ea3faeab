package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"holdfast/rules"
)

// maxReply is how much of an answer is read, for the connection's sake; nobody looks at it.
const maxReply = 64 << 10

// localClient returns a client that reaches nothing but the local network, whatever names say, and follows no redirects.
func localClient(timeout time.Duration) *http.Client {
	dialer := net.Dialer{Timeout: timeout, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !rules.Local(to.Addr()) {
			return fmt.Errorf("%s is not in a local network", address)
		}
		return nil
	}}
	return &http.Client{
		Timeout:       timeout,
		Transport:     &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true, MaxResponseHeaderBytes: maxReply},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post posts once. The error does not show the URL; again says whether another attempt could succeed.
func (w *webhooks) post(ctx context.Context, p *post) (again bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, string(p.url), bytes.NewReader(p.body))
	if err != nil {
		return false, errors.New("is no URL")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "holdfast-gateway/"+version)
	request.Header.Set("Holdfast-Device", w.device)
	request.Header.Set("Holdfast-Rule", p.rule)
	answer, err := w.client.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // without the URL
		}
		return true, err
	}
	defer answer.Body.Close()
	io.CopyN(io.Discard, answer.Body, maxReply)
	switch code := answer.StatusCode; {
	case code >= 500, code == http.StatusTooManyRequests, code == http.StatusRequestTimeout:
		return true, fmt.Errorf("answers %d", code)
	case code >= 400:
		return false, fmt.Errorf("answers %d", code)
	case code >= 300:
		return false, fmt.Errorf("answers %d: redirects are not followed, want the URL behind them", code)
	}
	return false, nil
}
