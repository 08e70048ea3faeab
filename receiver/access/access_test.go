package access

import (
	"strings"
	"testing"

	"holdfast"
)

func TestMayUse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		login Login
		id    string
		want  bool
	}{
		{Login{Name: "pi-7"}, "pi-7-9f2c1a00", true}, {Login{Name: "pi"}, "pi-7-9f2c1a00", false}, {Login{Name: "pi-7"}, "pi-7", false},
		{Login{Name: "pi-7"}, "pi-7-", false}, {Login{Name: "pi-7"}, "", false}, {Login{Name: "pi-7"}, "pi-70-9f2c1a00", false},
		{Login{Name: "ops", Operator: true}, "", true}, {Login{Name: "ops", Operator: true}, "made0up", true},
		{Login{Name: "ops", Operator: true}, "ops-1", true}, {Login{Name: "ops", Operator: true}, "pi-7-9f2c1a00", false},
	} {
		if got := c.login.MayUse(c.id); got != c.want {
			t.Errorf("%+v under %q: %v, want %v", c.login, c.id, got, c.want)
		}
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"pi-7": true, "receivers": true, "receiver": false, "receiver-one": false, "broadcast": false, "a/b": false, "": false, "+": false, "%u": false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v, want ok %v", name, err, ok)
		}
	}
}

// A secret matches its hash and no other's; what is no hash matches nothing.
func TestHash(t *testing.T) {
	t.Parallel()
	secret, other := NewSecret(), NewSecret()
	hash := Hash(secret)
	if secret == other || len(secret) < 52 || strings.Contains(hash, string(secret)) || hash == Hash(secret) {
		t.Errorf("secrets %d and %d characters, hash %s", len(secret), len(other), hash)
	}
	if !Matches(hash, string(secret)) || Matches(hash, string(other)) || Matches(hash, "") {
		t.Error("matches what it should not, or not what it should")
	}
	for _, none := range []string{"", "$7$", "$7$101$AAAA$AAAA", strings.Replace(hash, "$7$", "$6$", 1), strings.Replace(hash, "$101$", "$99999999$", 1), hash + "$"} {
		if Matches(none, string(secret)) || Matches(none, "") {
			t.Errorf("%q matches", none)
		}
	}
	// made by mosquitto_passwd 2.0.11 for the password "secret"
	if made := "$7$101$wYRvcJQd6TjQojO/$L5aeXNQNILqAGQy9XN/hnYxtC43n1aQI/pcrOjqDCeHqe+ZEfCflYAW0VbdcMVhPjWC7sz3iuhGRwFVD4j4Sxw=="; !Matches(made, "secret") {
		t.Error("mosquitto's own hash does not match")
	}
}

// No device's rights reach another's topics, and a prefix stands before all.
func TestRights(t *testing.T) {
	t.Parallel()
	topics := holdfast.Topics{Prefix: "plant"}
	r := Device(topics, "pi-7")
	shared := map[string]bool{topics.Broadcast(): true, topics.Group("+"): true, topics.Receiver("+"): true}
	for _, filter := range append(r.Publish, r.Subscribe...) {
		if !strings.HasPrefix(filter, "plant/devices/pi-7/") && !shared[filter] {
			t.Errorf("a device may use %s", filter)
		}
	}
	for _, filter := range r.Publish {
		if shared[filter] || strings.HasSuffix(filter, "/receipt") || strings.HasSuffix(filter, "/command") {
			t.Errorf("a device may publish to %s", filter)
		}
	}
}
