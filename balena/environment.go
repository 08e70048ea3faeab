package balena

import "strings"

// An Environment is what balena tells a container about its device and fleet. Off balena all fields are empty.
type Environment struct {
	DeviceUUID string // 32 or 62 hex digits
	DeviceType string // raspberrypi3
	DeviceName string // on the dashboard, when the container was made
	AppID      string
	AppName    string // the fleet
	Release    string // commit of the release, 32 hex digits; "localrelease" or so in local mode
	Service    string // of docker-compose.yml
	OSVersion  string // balenaOS 6.0.24
	LockPath   string // of the update lock: /tmp/balena/updates.lock
}

// ReadEnvironment reads the variables by way of getenv, which is os.Getenv or has its shape.
func ReadEnvironment(getenv func(string) string) Environment {
	return Environment{
		DeviceUUID: getenv("BALENA_DEVICE_UUID"),
		DeviceType: getenv("BALENA_DEVICE_TYPE"),
		DeviceName: getenv("BALENA_DEVICE_NAME_AT_INIT"),
		AppID:      getenv("BALENA_APP_ID"),
		AppName:    getenv("BALENA_APP_NAME"),
		Release:    getenv("BALENA_APP_RELEASE"),
		Service:    getenv("BALENA_SERVICE_NAME"),
		OSVersion:  getenv("BALENA_HOST_OS_VERSION"),
		LockPath:   getenv("BALENA_APP_LOCK_PATH"),
	}
}

// maxWords is the longest text that [Environment.String] returns, in bytes.
const maxWords = 200

// String says in one line where this container runs, for logs, pages and the gateway's birth: "my-fleet/gateway release
// 1a2b3c4 on porch". It is empty off balena.
func (e Environment) String() string {
	var words []string
	if e.AppName != "" || e.Service != "" {
		words = append(words, strings.Trim(e.AppName+"/"+e.Service, "/"))
	}
	if e.Release != "" {
		words = append(words, "release "+e.Release[:min(len(e.Release), 7)])
	}
	if e.DeviceName != "" {
		words = append(words, "on "+e.DeviceName)
	}
	text := strings.Join(words, " ")
	return strings.ToValidUTF8(text[:min(len(text), maxWords)], "")
}
