package sensors

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"holdfast"
)

// The MPU-6050 of InvenSense: acceleration, rate of turn, and its own temperature. Register map RM-MPU-6000A revision 4.2,
// product specification PS-MPU-6000A revision 3.4.
const (
	mpuSettings = 0x19 // SMPLRT_DIV, CONFIG, GYRO_CONFIG, ACCEL_CONFIG
	mpuAuxInput = 0x35 // what its own bus read last: 0 unless somebody uses that
	mpuData     = 0x3b // acceleration x y z, temperature, rate x y z: 16 bits each
	mpuPower    = 0x6b // PWR_MGMT_1, PWR_MGMT_2
	mpuWhoAmI   = 0x75 // 0x68, whichever address it has

	mpuG      = 8192.0 // steps at ±4 g (ACCEL_CONFIG, AFS_SEL 1)
	mpuDegree = 65.5   // steps a degree per second at ±500 °/s (GYRO_CONFIG, FS_SEL 1)

	mpuStartUp = 100 * time.Millisecond // PS §6.1 and §6.2: 30 ms for the gyroscope, then a sample each 10 ms
)

// From power-up it sleeps, and its data read 0. It is to run on the clock of the gyroscope, at 100 samples a second, with a
// low-pass of 44 Hz: each register as it is written and has to read.
var (
	mpuWantPower    = [2]byte{0x01, 0x00}
	mpuWantSettings = [4]byte{9, 3, 1 << 3, 1 << 3}
)

var mpu6050 = Driver{
	Chip: "mpu6050", Part: "InvenSense MPU-6050", Addresses: []uint16{0x68, 0x69}, Confidence: Certain,
	Quantities: []holdfast.Quantity{
		acceleration("x"), acceleration("y"), acceleration("z"),
		turning("x"), turning("y"), turning("z"),
		celsius(2, -40, 85),
	},
	Wiring: "AD0 to GND: 0x68; to Vcc: 0x69",
	Notes:  "Ranges ±4 g and ±500 °/s; the temperature is that of the chip",
	probe:  isMPU6050,
	open:   func(d Device) Sensor { return &mpu6050Chip{device: d} },
}

func acceleration(axis string) holdfast.Quantity {
	q := holdfast.Quantity{Name: "acceleration_" + axis + "_mps2", Unit: "m/s²", Precision: 3, Min: -40, Max: 40}
	return restless(q, time.Minute) // its noise is 20 steps
}

func turning(axis string) holdfast.Quantity {
	return holdfast.Quantity{Name: "angular_velocity_" + axis + "_radps", Unit: "rad/s", Precision: 4, Min: -9, Max: 9}
}

// isMPU6050 asks who it is. A clock with 64 bytes of memory has the same addresses and may decode six bits of the register's
// number; what stands at both of two such numbers is memory.
func isMPU6050(ctx context.Context, d Device) (bool, error) {
	var who, memory [1]byte
	if err := d.read(ctx, mpuWhoAmI, who[:]); err != nil || who[0] != 0x68 {
		return false, err
	}
	if err := d.read(ctx, mpuAuxInput, memory[:]); err != nil {
		return false, err
	}
	return memory[0] != who[0], nil
}

type mpu6050Chip struct {
	device   Device
	measured time.Time // when there are samples since the chip was set up; zero until it is
}

func (m *mpu6050Chip) Read(ctx context.Context) (map[string]float64, error) {
	values, err := m.measure(ctx)
	if err != nil {
		m.measured = time.Time{}
		return nil, err
	}
	return values, nil
}

func (m *mpu6050Chip) measure(ctx context.Context) (map[string]float64, error) {
	if m.measured.IsZero() {
		if err := m.setUp(ctx); err != nil {
			return nil, err
		}
	}
	if err := wait(ctx, time.Until(m.measured)); err != nil {
		return nil, fmt.Errorf("start of the gyroscope: %w", err)
	}
	var raw [14]byte
	if err := m.device.read(ctx, mpuData, raw[:]); err != nil { // in one go: the chip keeps the bytes together
		return nil, err
	}
	if err := m.held(ctx); err != nil { // behind the data: so it had its power when they were read
		return nil, err
	}
	return decodeMPU6050(raw)
}

func (m *mpu6050Chip) setUp(ctx context.Context) error {
	if err := sure(isMPU6050(ctx, m.device)); err != nil {
		return err
	}
	if err := m.device.write(ctx, append([]byte{mpuPower}, mpuWantPower[:]...)...); err != nil {
		return err
	}
	if err := m.device.write(ctx, append([]byte{mpuSettings}, mpuWantSettings[:]...)...); err != nil {
		return err
	}
	if err := m.held(ctx); err != nil {
		return err
	}
	m.measured = time.Now().Add(mpuStartUp)
	return nil
}

// held returns an error unless the settings are what was written.
func (m *mpu6050Chip) held(ctx context.Context) error {
	var settings [4]byte
	if err := m.device.read(ctx, mpuSettings, settings[:]); err != nil {
		return err
	}
	var power [2]byte
	if err := m.device.read(ctx, mpuPower, power[:]); err != nil {
		return err
	}
	if settings != mpuWantSettings || power != mpuWantPower {
		return fmt.Errorf("the settings are gone: registers 0x19 and 0x6b read %x and %x", settings, power)
	}
	return nil
}

// decodeMPU6050 returns the values of seven numbers. One at the end of its range has no value: the chip cannot say how far
// beyond it is.
func decodeMPU6050(raw [14]byte) (map[string]float64, error) {
	values := map[string]float64{}
	for i, q := range mpu6050Order {
		n := int16(binary.BigEndian.Uint16(raw[2*i:]))
		if n != math.MaxInt16 && n != math.MinInt16 {
			values[q.name] = round(float64(n)*q.step+q.zero, q.unit)
		}
	}
	if len(values) == 0 {
		return nil, errors.New("every number is at the end of its range")
	}
	return values, nil
}

var mpu6050Order = [7]struct {
	name             string
	step, zero, unit float64
}{
	{"acceleration_x_mps2", 9.80665 / mpuG, 0, 0.0001},
	{"acceleration_y_mps2", 9.80665 / mpuG, 0, 0.0001},
	{"acceleration_z_mps2", 9.80665 / mpuG, 0, 0.0001},
	{"temperature_celsius", 1.0 / 340, 36.53, 0.01}, // RM §4.18
	{"angular_velocity_x_radps", math.Pi / 180 / mpuDegree, 0, 0.00001},
	{"angular_velocity_y_radps", math.Pi / 180 / mpuDegree, 0, 0.00001},
	{"angular_velocity_z_radps", math.Pi / 180 / mpuDegree, 0, 0.00001},
}
