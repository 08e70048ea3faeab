package balena

import (
	"reflect"
	"strings"
	"testing"
)

func TestReadEnvironment(t *testing.T) {
	t.Parallel()
	var asked []string
	got := ReadEnvironment(func(name string) string { asked = append(asked, name); return "<" + name + ">" })
	want := Environment{
		DeviceUUID: "<BALENA_DEVICE_UUID>", DeviceType: "<BALENA_DEVICE_TYPE>", DeviceName: "<BALENA_DEVICE_NAME_AT_INIT>",
		AppID: "<BALENA_APP_ID>", AppName: "<BALENA_APP_NAME>", Release: "<BALENA_APP_RELEASE>", Service: "<BALENA_SERVICE_NAME>",
		OSVersion: "<BALENA_HOST_OS_VERSION>", LockPath: "<BALENA_APP_LOCK_PATH>",
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if n := reflect.TypeFor[Environment]().NumField(); len(asked) != n {
		t.Errorf("asked for %q: want one variable for each of %d fields", asked, n)
	}
}

func TestEnvironmentString(t *testing.T) {
	t.Parallel()
	release := strings.Repeat("0123456789abcdef", 2)
	for want, e := range map[string]Environment{
		"": {},
		"fleet/gateway release 0123456 on front door": {AppName: "fleet", Service: "gateway", Release: release, DeviceName: "front door"},
		"gateway release 1a":                          {Service: "gateway", Release: "1a"},
		"on " + strings.Repeat("ä", 98):               {DeviceName: strings.Repeat("ä", 300)}, // 3 + 196 bytes: half a letter is none
	} {
		if got := e.String(); got != want {
			t.Errorf("%+v: got %q, want %q", e, got, want)
		}
	}
}
