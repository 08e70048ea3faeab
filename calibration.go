package holdfast

import (
	"encoding/json"
	"math"
	"strings"
)

// A Calibration makes of what a sensor measures what is right. It is the value of a setting [CalibrationKey], in one of the
// forms {"offset":-0.4}, {"scale":1.02,"offset":-0.4} and {"points":[[0.3,0],[99.1,100]]}.
type Calibration struct {
	Scale  *float64     `json:"scale,omitempty"`  // 1 where it is missing
	Offset float64      `json:"offset,omitempty"` // in the base unit of the quantity, added last
	Points [][2]float64 `json:"points,omitempty"` // two pairs of what was measured and what is right, instead of the others
}

const settingCalibration = "calibration."

// CalibrationKey returns the key of the setting that calibrates one quantity of one sensor.
func CalibrationKey(sensor, quantity string) string {
	return settingCalibration + sensor + "." + quantity
}

// CalibrationOf returns what the key of a setting calibrates, and whether it calibrates anything. Names of sensors may hold
// dots, those of quantities none.
func CalibrationOf(key string) (sensor, quantity string, ok bool) {
	rest, ok := strings.CutPrefix(key, settingCalibration)
	dot := strings.LastIndexByte(rest, '.')
	if !ok || dot < 0 {
		return "", "", false
	}
	return rest[:dot], rest[dot+1:], true
}

// MaxScale bounds how far a calibration stretches or shrinks.
const MaxScale = 1000

// ParseCalibration reads the value of a setting that calibrates. null is no calibration.
func ParseCalibration(value json.RawMessage) (c Calibration, err error) {
	if err := json.Unmarshal(value, &c); err != nil {
		return Calibration{}, invalid("calibration", `%s: want {"offset":…}, {"scale":…,"offset":…} or {"points":[[measured,right],[measured,right]]}`, cut(string(value), 60))
	}
	switch {
	case c.Points == nil:
	case c.Scale != nil || c.Offset != 0:
		return Calibration{}, invalid("calibration", "points beside scale or offset: want either")
	case len(c.Points) != 2:
		return Calibration{}, invalid("calibration.points", "%d of them: want two pairs of what was measured and what is right", len(c.Points))
	case c.Points[0][0] == c.Points[1][0]:
		return Calibration{}, invalid("calibration.points", "both were measured as %v: want two that differ", c.Points[0][0])
	}
	scale, offset := c.Line()
	if a := math.Abs(scale); !(a >= 1.0/MaxScale && a <= MaxScale) {
		return Calibration{}, invalid("calibration", "a scale of %v: want %v to %v", scale, 1.0/MaxScale, MaxScale)
	}
	if math.IsInf(offset, 0) || math.IsNaN(offset) {
		return Calibration{}, invalid("calibration", "an offset of %v: want a number", offset)
	}
	return c, nil
}

// Line returns the calibration as right = measured·scale + offset.
func (c Calibration) Line() (scale, offset float64) {
	if len(c.Points) == 2 {
		a, b := c.Points[0], c.Points[1]
		scale = (b[1] - a[1]) / (b[0] - a[0])
		return scale, a[1] - scale*a[0]
	}
	scale = 1
	if c.Scale != nil {
		scale = *c.Scale
	}
	return scale, c.Offset
}
