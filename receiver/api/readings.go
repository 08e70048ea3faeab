package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"holdfast"
	"holdfast/receiver/store"
)

type readingsIn struct {
	OfDevice
	Window
	Sensor   string `query:"sensor" maxLength:"64"`
	Quantity string `query:"quantity" maxLength:"64"`
	Limit    int    `query:"limit" minimum:"1" maximum:"10000" default:"1000" doc:"samples of a page"`
	Cursor   string `query:"cursor" maxLength:"200" doc:"next of the page before"`
	Points   int    `query:"points" minimum:"1" maximum:"2000" doc:"cut the window into so many buckets and sum up each; there are no pages then"`
}

// Series is one quantity of one sensor, with samples or, where points were asked for, with buckets.
type Series struct {
	Sensor   string   `json:"sensor"`
	Quantity string   `json:"quantity"`
	Unit     string   `json:"unit" doc:"for people"`
	Samples  []Sample `json:"samples,omitempty" doc:"in order of time"`
	Buckets  []Bucket `json:"buckets,omitempty" doc:"in order of time; empty ones are absent"`
}

// Sample is one quantity at one instant.
type Sample struct {
	Time         time.Time `json:"time"`
	Value        float64   `json:"value" doc:"in the base unit that the quantity's name ends in"`
	Quality      string    `json:"quality,omitempty" enum:"suspect,bad" doc:"absent where it is good"`
	Stream       string    `json:"stream"`
	Seq          uint64    `json:"seq" doc:"number within the telemetry lane of the stream"`
	OriginalTime time.Time `json:"original_time,omitzero" doc:"what the device guessed, where its clock was not synchronised"`
}

// Bucket sums up the samples of a slice of the window; bad ones are left out.
type Bucket struct {
	Time    time.Time `json:"time" doc:"first instant of the slice"`
	Min     float64   `json:"min"`
	Max     float64   `json:"max"`
	Mean    float64   `json:"mean"`
	Count   uint64    `json:"count" doc:"of samples"`
	Thinned bool      `json:"thinned,omitempty" doc:"of summaries: the samples themselves were given up for space, or stayed on the device"`
}

type readingsOut struct {
	Body struct {
		Device string    `json:"device"`
		From   time.Time `json:"from"`
		To     time.Time `json:"to"`
		Series []Series  `json:"series" doc:"by sensor and quantity"`
		Next   string    `json:"next,omitempty" doc:"cursor of the next page, which may turn out empty"`
	}
}

// defaultWindow is how far readings go back where nobody says.
const defaultWindow = time.Hour

func (s *server) readings(ctx context.Context, in *readingsIn) (*readingsOut, error) {
	from, to, err := in.bounds(s.Now(), defaultWindow)
	if err != nil {
		return nil, err
	}
	if _, err := s.known(ctx, in.ID); err != nil {
		return nil, err
	}
	series, err := s.store.Series(ctx, store.Query{Device: in.ID, Sensor: in.Sensor, Quantity: in.Quantity}, maxSeries)
	if err != nil {
		return nil, err
	}
	out := new(readingsOut)
	b := &out.Body
	b.Device, b.From, b.To, b.Series = in.ID, from, to, []Series{}
	if in.Points > 0 {
		b.Series, err = s.chart(ctx, in, series, from, to)
	} else {
		b.Series, b.Next, err = s.page(ctx, in, series, from, to)
	}
	return out, err
}

// A cursor is where a page ended.
type cursor struct {
	series, us, n, seq int64
}

func (c cursor) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %d %d %d", c.series, c.us, c.n, c.seq))
}

func parseCursor(text string) (c cursor, err error) {
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		_, err = fmt.Sscanf(string(plain), "%d %d %d %d", &c.series, &c.us, &c.n, &c.seq)
	}
	return c, err
}

// page returns the samples behind the cursor, series by series.
func (s *server) page(ctx context.Context, in *readingsIn, all []store.Series, from, to time.Time) (page []Series, next string, err error) {
	page = []Series{}
	var behind store.Place
	if in.Cursor != "" {
		at, err := parseCursor(in.Cursor)
		i := slices.IndexFunc(all, func(x store.Series) bool { return x.ID == at.series })
		if err != nil || i < 0 {
			return nil, "", huma.Error422UnprocessableEntity("the cursor is not one of this query", &huma.ErrorDetail{
				Message: "want next of the page before, with all other parameters as they were", Location: "query.cursor", Value: in.Cursor})
		}
		all, behind = all[i:], store.Place{Time: time.UnixMicro(at.us), N: at.n, Seq: uint64(at.seq)}
	}
	left := in.Limit
	for _, x := range all {
		samples, err := s.store.Samples(ctx, x.ID, from, to, behind, left)
		if err != nil {
			return nil, "", err
		}
		behind = store.Place{}
		if len(samples) == 0 {
			continue
		}
		one := Series{Sensor: x.Sensor, Quantity: x.Quantity, Unit: x.Unit}
		for _, v := range samples {
			one.Samples = append(one.Samples, Sample{v.Time, v.Value, grade(v.Quality), v.Stream.String(), v.Seq, v.Original})
		}
		page = append(page, one)
		if left -= len(samples); left == 0 {
			last := samples[len(samples)-1]
			return page, cursor{x.ID, last.Time.UnixMicro(), last.N, int64(last.Seq)}.String(), nil
		}
	}
	return page, "", nil
}

// maxSummaries bounds how many summaries of thinned ranges, and of a sensor's minutes, a chart looks at.
const maxSummaries = 100_000

// chart sums up the window. Summaries of thinned ranges, and of minutes whose readings stayed on the device, stand in where a
// bucket has no sample.
func (s *server) chart(ctx context.Context, in *readingsIn, all []store.Series, from, to time.Time) ([]Series, error) {
	points := int64(in.Points)
	width := time.Duration((to.Sub(from).Microseconds()+points-1)/points) * time.Microsecond
	thinned, err := s.store.Thinned(ctx, in.ID, from, to, maxSummaries)
	if err != nil {
		return nil, err
	}
	out := []Series{}
	minutes := make(map[string][]holdfast.Thinned) // by sensor
	for _, x := range all {
		if _, read := minutes[x.Sensor]; !read {
			if minutes[x.Sensor], err = s.store.Minutes(ctx, in.ID, x.Sensor, from, to, maxSummaries); err != nil {
				return nil, err
			}
		}
		raw, err := s.store.Buckets(ctx, x.ID, from, to, width)
		if err != nil {
			return nil, err
		}
		buckets := make(map[int]Bucket, len(raw))
		for _, b := range raw {
			buckets[b.Index] = Bucket{from.Add(time.Duration(b.Index) * width), b.Min, b.Max, b.Mean, b.Count, false}
		}
		fill(buckets, thinned, x, from, width)
		fill(buckets, minutes[x.Sensor], x, from, width)
		if len(buckets) == 0 {
			continue
		}
		one := Series{Sensor: x.Sensor, Quantity: x.Quantity, Unit: x.Unit}
		for _, b := range buckets {
			one.Buckets = append(one.Buckets, b)
		}
		slices.SortFunc(one.Buckets, func(a, b Bucket) int { return cmp.Compare(a.Time.UnixMicro(), b.Time.UnixMicro()) })
		out = append(out, one)
	}
	return out, nil
}

// fill puts the summaries of a series into those buckets that have no sample.
func fill(buckets map[int]Bucket, thinned []holdfast.Thinned, x store.Series, from time.Time, width time.Duration) {
	for _, t := range thinned {
		v, ok := t.Values[x.Quantity]
		if t.Sensor != x.Sensor || !ok || v.Count == 0 {
			continue
		}
		i := int(t.From.Sub(from) / width)
		b, there := buckets[i]
		switch {
		case !there:
			b = Bucket{from.Add(time.Duration(i) * width), v.Min, v.Max, v.Mean, v.Count, true}
		case b.Thinned:
			total := b.Count + v.Count
			b.Mean += (v.Mean - b.Mean) * float64(v.Count) / float64(total)
			b.Min, b.Max, b.Count = min(b.Min, v.Min), max(b.Max, v.Max), total
		default:
			continue
		}
		buckets[i] = b
	}
}
