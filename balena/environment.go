package balena

// An Environment is what balena tells a container about its device and fleet. Off balena all fields are empty.
type Environment struct {
	DeviceUUID string // 32 or 62 hex digits
	DeviceType string // raspberrypi3
	DeviceName string
	AppID      string
	AppName    string
}

// ReadEnvironment reads the variables by way of getenv, which is os.Getenv or has its shape.
func ReadEnvironment(getenv func(string) string) Environment {
	return Environment{
		DeviceUUID: getenv("BALENA_DEVICE_UUID"),
		DeviceType: getenv("BALENA_DEVICE_TYPE"),
		DeviceName: getenv("BALENA_DEVICE_NAME_AT_INIT"),
		AppID:      getenv("BALENA_APP_ID"),
		AppName:    getenv("BALENA_APP_NAME"),
	}
}
