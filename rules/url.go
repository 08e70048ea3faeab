package rules

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
)

// A URL is where a webhook posts to, a host in the local network. Its path may be a secret, as those of home automation are:
// however it is printed or logged, only scheme and host show. Its JSON is what it says, for checkpoints.
type URL string

const (
	maxURL  = 1024
	hidden  = "(set)" // stands for what is not shown
	wantURL = "want one like http://192.168.1.20:8123/api/webhook/name"
)

// check returns what is wrong with the URL, without showing it.
func (u URL) check() error {
	if len(u) > maxURL {
		return fmt.Errorf("%d bytes: want at most %d", len(u), maxURL)
	}
	if strings.Contains(string(u), hidden) {
		return fmt.Errorf("%s stands for what is not shown: want it written anew", hidden)
	}
	parsed, err := url.Parse(string(u))
	switch {
	case err != nil:
		return errors.New("is no URL: " + wantURL)
	case strings.ContainsFunc(string(u), notOfURL), strings.Contains(parsed.Path+parsed.RawQuery, "]"):
		return errors.New("want nothing but letters, digits and -._~:/?@!$&()*+;=%, and %2C and the like for all else")
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return errors.New("want http or https: " + wantURL)
	case parsed.Hostname() == "":
		return errors.New("names no host: " + wantURL)
	case parsed.User != nil:
		return errors.New("a name or password before the host is not sent: want them in the path or query, which are not shown")
	case parsed.Fragment != "":
		return errors.New("what stands behind # is not sent: leave it out")
	}
	if ip, err := netip.ParseAddr(parsed.Hostname()); err == nil && !Local(ip) {
		return fmt.Errorf("%s is not in a local network, and webhooks post to nothing else: alerts reach the receiver anyway", ip)
	}
	return nil
}

// notOfURL reports what would end the URL in [holdfast.ConcealURLs], which finds it in the text of a rules file.
func notOfURL(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"'{},\<>^|`+"`", r) }

// Local reports whether an address is the machine's own or one of a local network, to which webhooks are confined: loopback,
// private (RFC 1918, RFC 4193) and link-local.
func Local(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()
}

// Host is the part of the URL that may be shown: http://192.168.1.20:8123
func (u URL) Host() string {
	parsed, err := url.Parse(string(u))
	if err != nil {
		return hidden
	}
	return parsed.Scheme + "://" + parsed.Host
}

// Format writes Host, whatever the verb.
func (u URL) Format(f fmt.State, _ rune) { io.WriteString(f, u.Host()) }

// LogValue is what a log holds of it.
func (u URL) LogValue() slog.Value { return slog.StringValue(u.Host()) }
