package holdfast

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestCalibration(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		value         string
		scale, offset float64
		wrong         string
	}{
		{`{"offset":-0.4}`, 1, -0.4, ""},
		{`{"scale":1.02,"offset":-0.4}`, 1.02, -0.4, ""},
		{`{"points":[[0.5,0],[100.5,100]]}`, 1, -0.5, ""},
		{`{"points":[[0,32],[100,212]]}`, 1.8, 32, ""},
		{`null`, 1, 0, ""},
		{`{}`, 1, 0, ""},
		{`{"scale":0}`, 0, 0, "a scale of 0"},
		{`{"scale":5000}`, 0, 0, "a scale of 5000"},
		{`{"points":[[1,2]]}`, 0, 0, "1 of them"},
		{`{"points":[[1,2],[1,3]]}`, 0, 0, "both were measured as 1"},
		{`{"points":[[1,2],[2,2]]}`, 0, 0, "a scale of 0"},
		{`{"points":[[1,2],[2,3]],"offset":1}`, 0, 0, "either"},
		{`"-0.4"`, 0, 0, `want {"offset":…}`},
		{`{"points":[[1e308,1e308],[-1e308,-1e308]]}`, 0, 0, "a scale of"},
	} {
		err := CheckSetting("calibration.bme280-1-76.temperature_celsius", json.RawMessage(test.value))
		if test.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%s: %v, want %q", test.value, err, test.wrong)
			}
			continue
		}
		c, _ := ParseCalibration(json.RawMessage(test.value))
		if scale, offset := c.Line(); err != nil || math.Abs(scale-test.scale) > 1e-12 || math.Abs(offset-test.offset) > 1e-9 {
			t.Errorf("%s: %v·x + %v, %v", test.value, scale, offset, err)
		}
	}
	for _, key := range []string{"calibration.", "calibration.temperature_celsius", "calibration.A.temperature_celsius", "calibration.a."} {
		if err := CheckSetting(key, json.RawMessage(`{}`)); err == nil {
			t.Errorf("%s is taken", key)
		}
	}
	if sensor, quantity, ok := CalibrationOf(CalibrationKey("sht31-1-mux70.3-44", "humidity_percent")); !ok || sensor != "sht31-1-mux70.3-44" || quantity != "humidity_percent" {
		t.Error(sensor, quantity, ok)
	}
}
