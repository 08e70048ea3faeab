package rehearse

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"holdfast"
)

// appendRecord appends the JSON of a record as encoding/json writes it. Most records are plain readings, for which that
// takes several times as long.
func appendRecord(to []byte, record holdfast.Record) []byte {
	if r, ok := record.(*holdfast.Reading); ok && r.Quality == nil && r.Clock == nil && r.ID == "" && len(r.Values) <= maxPlain {
		if out, ok := appendReading(to, r); ok {
			return out
		}
	}
	data, err := json.Marshal(record)
	if err != nil {
		return to // a record of a year beyond 9999: the wire has none
	}
	return append(to, data...)
}

const maxPlain = 16 // values

func appendReading(to []byte, r *holdfast.Reading) ([]byte, bool) {
	begun := to
	if y := r.Time.Year(); y < 1 || y > 9999 {
		return begun, false
	}
	to = append(to, `{"time":"`...)
	to = r.Time.AppendFormat(to, time.RFC3339Nano)
	to = append(to, `","sensor":"`...)
	to = append(to, r.Sensor...)
	to = append(to, `","values":{`...)
	var space [maxPlain]string
	names := slices.AppendSeq(space[:0], maps.Keys(r.Values))
	slices.Sort(names)
	for i, name := range names {
		v := r.Values[name]
		if size := math.Abs(v); !(size == 0 || size >= 1e-6 && size < 1e21) { // beyond, JSON has exponents
			return begun, false
		}
		if i > 0 {
			to = append(to, ',')
		}
		to = append(to, '"')
		to = append(to, name...)
		to = append(to, `":`...)
		to = strconv.AppendFloat(to, v, 'f', -1, 64)
	}
	return append(to, "}}"...), true
}
