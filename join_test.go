package holdfast

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
)

func goldenJoin(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("testdata/join.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// The golden join string reads as it was meant and is written the same again.
func TestJoinGolden(t *testing.T) {
	text := goldenJoin(t)
	for _, given := range []string{text, "HOLDFAST_JOIN=" + text, " \t" + text + "\r\n"} {
		j, err := ParseJoin(given)
		if err != nil {
			t.Fatal(err)
		}
		if j.Host != "broker.example.org" || j.Port != 8883 || !j.TLS || j.Device != "pi-7" || string(j.Secret) != "correct-horse-battery-staple" ||
			len(j.CA) != 1 || j.Store.String() != "c41d00000000000000000000000000ff" || j.Prefix != "plant" {
			t.Errorf("%+v", j)
		}
		if got := j.Encode(); got != text {
			t.Errorf("got  %s\nwant %s", got, text)
		}
	}
}

// What is wrong is said; the secret never is, however the string is broken.
func TestJoinMistakes(t *testing.T) {
	const secret = "correct-horse-battery-staple"
	with := func(field string, value any) string {
		data, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(goldenJoin(t), joinPrefix))
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(data, &fields); err != nil {
			t.Fatal(err)
		}
		fields[field] = value
		if data, err = json.Marshal(fields); err != nil {
			t.Fatal(err)
		}
		return joinPrefix + base64.RawURLEncoding.EncodeToString(data)
	}
	for _, c := range []struct{ text, want string }{
		{"", "`receiver device add` printed"},
		{"holdfast2.abc", `"holdfast1."`},
		{goldenJoin(t)[:200], "damaged or not whole"},
		{goldenJoin(t) + "!", "damaged or not whole"},
		{joinPrefix + strings.Repeat("A", maxJoin), "at most 16384"},
		{with("host", ""), "host"},
		{with("host", "a b"), "host"},
		{with("host", "tcp://x"), "host"},
		{with("port", 0), "port 0: want 1 to 65535"},
		{with("port", secret), "damaged"},
		{with("device", "a/b"), "device"},
		{with("device", "broadcast"), "reserved"},
		{with("secret", ""), "secret"},
		{with("secret", secret+"\n"), "secret"},
		{with("secret", strings.Repeat("x", maxSecret+1)), "secret"},
		{with("store", secret), "store: want 32 hex digits"},
		{with("store", strings.Repeat("0", 32)), "not all zero"},
		{with("ca", []string{"AAAA"}), "certificate 1"},
		{with("ca", make([]string, maxAuthorities+1)), "at most 8"},
		{with("prefix", "a/#"), "prefix"},
	} {
		_, err := ParseJoin(c.text)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40s: %v, want %q", c.text, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "horse") {
			t.Errorf("the error holds the secret: %v", err)
		}
	}
	if _, err := ParseJoin(with("news", "from a later version")); err != nil {
		t.Errorf("an unknown field: %v", err)
	}
}

// However a join or its secret is printed, the secret is not.
func TestSecretIsNotPrinted(t *testing.T) {
	j, err := ParseJoin(goldenJoin(t))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+" "+verb+" "+verb+"\n", j, &j, j.Secret)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("joined", "join", j, "pointer", &j, "secret", j.Secret)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("joined", "join", j, "pointer", &j, "secret", j.Secret)
	if err := json.NewEncoder(&out).Encode(j); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"horse", fmt.Sprintf("%x", "horse"), base64.StdEncoding.EncodeToString([]byte("correct-horse"))[:12]} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%q is in:\n%s", form, &out)
		}
	}
	if !strings.Contains(out.String(), "pi-7 at mqtts://broker.example.org:8883") || !strings.Contains(out.String(), redacted) {
		t.Errorf("neither who joins what nor that there is a secret:\n%s", &out)
	}
}

// A join string that is accepted is valid, within bounds, and reads the same when it is written again.
func FuzzParseJoin(f *testing.F) {
	f.Add(goldenJoin(f))
	f.Add("HOLDFAST_JOIN=" + goldenJoin(f))
	f.Add(joinPrefix + base64.RawURLEncoding.EncodeToString([]byte(`{"host":"::1","port":1,"device":"a","secret":"x","store":"c41d00000000000000000000000000ff"}`)))
	f.Fuzz(func(t *testing.T, text string) {
		j, err := ParseJoin(text)
		if err != nil {
			if !errors.Is(err, ErrInvalid) || len(err.Error()) > 1000 {
				t.Errorf("error %v", err)
			}
			return
		}
		again, err := ParseJoin(j.Encode())
		if err != nil || again.String() != j.String() || again.Secret != j.Secret || again.Store != j.Store || len(again.CA) != len(j.CA) {
			t.Errorf("%v reads again as %v, %v", j, again, err)
		}
	})
}
