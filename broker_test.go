package holdfast

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestBrokerSetting(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/join.txt")
	if err != nil {
		t.Fatal(err)
	}
	join, secret := strings.TrimSpace(string(text)), "hunter2-secret"
	for value, want := range map[string]string{
		`{}`:                           "",
		`{"join":"` + join + `"}`:      "",
		`{"host":"b.lan","port":1883}`: "",
		`{"host":"fd00::1","port":8883,"tls":true,"username":"pi-7","password":"` + secret + `"}`: "",
		`null`:                       "want an object",
		`[]`:                         "want an object",
		`{"host":"b","port":"1883"}`: "want an object",
		`{"host":"b","port":1883,"password":` + `7777777}`:     "want an object",
		`{"host":"b","port":1883,"passwort":"` + secret + `"}`: "want an object",
		`{"host":"b"}`:              "port: 0",
		`{"host":"b","port":70000}`: "port: 70000",
		`{"host":"b c","port":1}`:   "host: want",
		`{"host":"` + strings.Repeat("b", 254) + `","port":1}`: "host: want",
		`{"port":1}`: "host: want",
		`{"host":"b","port":1,"password":"` + secret + `"}`:                  "without a username",
		`{"host":"b","port":1,"username":"a","password":"(set)"}`:            "want the password",
		`{"host":"b","port":1,"username":"a","password":"` + secret + `\n"}`: "password: want",
		`{"host":"b","port":1,"ca":"x"}`:                                     "without tls",
		`{"host":"b","port":1,"tls":true,"ca":"` + secret + `"}`:             "want certificates in PEM",
		`{"join":"` + join + `","host":"b"}`:                                 "want nothing beside it",
		`{"join":"` + join[:100] + `"}`:                                      "join string",
	} {
		err := CheckSetting(SettingBroker, json.RawMessage(value))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", value, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "7777777")) {
			t.Errorf("%v tells a secret", err)
		}
		shown := string(ConcealSetting(SettingBroker, json.RawMessage(value)))
		if strings.Contains(shown, secret) || strings.Contains(shown, join[20:60]) || (shown == "null") != (err != nil) {
			t.Errorf("%s is shown as %s", value, shown)
		}
	}
	shown := string(ConcealSetting(SettingBroker, json.RawMessage(`{"join":"`+join+`"}`)))
	if want := `{"join":"(set)","host":"broker.example.org","port":8883,"tls":true,"username":"pi-7"}`; shown != want {
		t.Errorf("shown %s, want %s", shown, want)
	}
	if got := string(ConcealSetting(SettingGroups, json.RawMessage(`["a"]`))); got != `["a"]` {
		t.Errorf("another setting is shown as %s", got)
	}
}

func TestConcealArguments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, args, want string }{
		{"set_config", `{"settings":{"measuring":true,"uplink.broker":{"host":"b","port":1,"username":"u","password":"p"}}}`,
			`{"settings":{"measuring":true,"uplink.broker":{"host":"b","port":1,"username":"u","password":"(set)"}}}`},
		{"set_config", `{"settings":{"uplink.broker":{"password":7}}}`, `{"settings":{"uplink.broker":null}}`},
		{"set_config", `{"settings":{"measuring":true}}`, `{"settings":{"measuring":true}}`},
		{"set_config", `{"settings":7}`, `{"settings":7}`},
		{"ping", `{}`, `{}`},
	} {
		if got := string(ConcealArguments(c.name, json.RawMessage(c.args))); got != c.want {
			t.Errorf("%s %s is shown as %s", c.name, c.args, got)
		}
	}
}
