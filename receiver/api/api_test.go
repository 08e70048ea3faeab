package api

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/receiver"
	"holdfast/receiver/store"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// serve serves the API of a database that f filled, at 12:10.
func serve(t *testing.T, f func(*store.Tx) error) (*receiver.Receiver, *httptest.Server) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "receiver.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	r, err := receiver.New(receiver.Options{Store: s, Instance: "one", Version: "1.2.0", Now: func() time.Time { return noon.Add(10 * time.Minute) }})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(New(r, func() {}))
	t.Cleanup(web.Close)
	return r, web
}

// seed stores a device with a reading a second for ten minutes, and one of everything else.
func seed(tx *store.Tx) error {
	if _, err := tx.Seen("pi-7", store.StatusActive, true, noon); err != nil {
		return err
	}
	s, err := tx.Stream(holdfast.Stream{0xaa}, "pi-7", noon)
	if err != nil {
		return err
	}
	if err := tx.SetState("pi-7", s.ID, []byte(`{"v":1,"online":true,"stream":"aa","measuring":true}`)); err != nil {
		return err
	}
	catalog := &holdfast.Catalog{V: 1, Sensors: []holdfast.CatalogSensor{{Name: "bme280-1-76", Quantities: []holdfast.Quantity{{Name: "temperature_celsius", Unit: "°C"}}}}}
	if _, err := tx.SetCatalog("pi-7", catalog, []byte(`{"v":1,"revision":7,"sensors":[]}`)); err != nil {
		return err
	}
	for i := range 600 {
		r := &holdfast.Reading{Time: noon.Add(time.Duration(i) * time.Second), Sensor: "bme280-1-76",
			Values: map[string]float64{"temperature_celsius": float64(i), "humidity_percent": 40}}
		if i == 599 {
			r.Quality = map[string]holdfast.Quality{"temperature_celsius": holdfast.Bad}
		}
		if err := tx.AddReading(s, uint64(i+1), r); err != nil {
			return err
		}
	}
	data := store.Interval{Range: holdfast.Range{First: 1, Last: 600}, State: holdfast.Data}
	lost := store.Interval{Range: holdfast.Range{First: 601, Last: 660}, State: holdfast.Thin}
	if err := tx.Replace(s.N, holdfast.LaneTelemetry, nil, []store.Interval{data, lost}, noon); err != nil {
		return err
	}
	if _, err := tx.Raise(s.N, holdfast.LaneTelemetry, 700); err != nil {
		return err
	}
	thinned := &holdfast.Thinned{Sensor: "bme280-1-76", From: noon.Add(-time.Minute), To: noon,
		Values: map[string]holdfast.Summary{"temperature_celsius": {Min: -3, Max: -1, Mean: -2, Count: 60}}}
	minute := &holdfast.Aggregate{Time: noon.Add(-time.Minute), From: noon.Add(-2 * time.Minute), To: noon.Add(-time.Minute), Rule: holdfast.EdgeRule,
		RuleVersion: holdfast.EdgeRuleVersion, Group: "bme280-1-76", Sensor: "bme280-1-76", Count: 60,
		Values: map[string]float64{"temperature_celsius_mean": -5, "temperature_celsius_min": -6, "temperature_celsius_max": 0}}
	for i, version := range []int{0, 1} { // the second is a user's
		text, _ := json.Marshal(minute)
		minute.RuleVersion = version
		if err := tx.AddAggregate(s, uint64(601+i), 9, minute, text); err != nil {
			return err
		}
		minute.From, minute.Values = minute.From.Add(-time.Minute), map[string]float64{"temperature_celsius_mean": 100}
	}
	text, _ := json.Marshal(thinned)
	if err := tx.AddThinned(s, 601, 0, thinned, text); err != nil {
		return err
	}
	alert := &holdfast.Alert{Time: noon, ID: "5d0c", Rule: "cold_room", RuleVersion: 3, State: holdfast.Raised, Severity: holdfast.Critical,
		Sensor: "bme280-1-76", Quantity: "temperature_celsius", Value: 8.4, Threshold: 8, Since: noon, Peak: 8.4}
	text, _ = json.Marshal(alert)
	if err := tx.AddAlert(s, 1, alert, text); err != nil {
		return err
	}
	event := &holdfast.Event{Time: noon, Event: "boot", Data: []byte(`{"boot":"b"}`)}
	text, _ = json.Marshal(event)
	if err := tx.AddEvent(s, 1, event, text); err != nil {
		return err
	}
	_, err = tx.AddLetter(store.Letter{Device: "pi-7", Topic: "devices/pi-7/telemetry", Code: "malformed", Text: "no JSON", Payload: []byte{0xff}}, noon)
	return err
}

// ask gets a path and takes the answer into out.
func ask(t *testing.T, web *httptest.Server, path string, status int, out any) {
	t.Helper()
	answer, err := http.Get(web.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != status {
		t.Errorf("%s: status %d, want %d", path, answer.StatusCode, status)
	}
	if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
		t.Errorf("%s: %v", path, err)
	}
}

func TestDevices(t *testing.T) {
	t.Parallel()
	_, web := serve(t, seed)
	var list struct{ Devices []Device }
	ask(t, web, "/api/v1/devices", 200, &list)
	want := receiver.Totals{Head: 700, Data: 600, Thinned: 60, Missing: 40}
	if len(list.Devices) != 1 || list.Devices[0].Totals != want || !list.Devices[0].Online || list.Devices[0].AlertsOpen != 1 || len(list.Devices[0].State) == 0 {
		t.Errorf("devices %+v", list)
	}
	var one DeviceDetail
	ask(t, web, "/api/v1/devices/pi-7", 200, &one)
	if len(one.Catalog) == 0 || len(one.Latest) != 2 {
		t.Fatalf("device %+v", one)
	}
	latest := one.Latest[1]
	if latest.Value != 599 || latest.Unit != "°C" || latest.Quality != "bad" || !latest.Time.Equal(noon.Add(599*time.Second)) {
		t.Errorf("latest %+v", latest)
	}
	var problem struct{ Detail string }
	ask(t, web, "/api/v1/devices/pi-8", 404, &problem)
	if !strings.Contains(problem.Detail, "pi-8") {
		t.Errorf("problem %+v", problem)
	}
}

type readings struct {
	Series []Series
	Next   string
}

// Pages cover the window exactly once, over all series.
func TestReadingsByPage(t *testing.T) {
	t.Parallel()
	_, web := serve(t, seed)
	query := url.Values{"limit": {"250"}, "from": {noon.Add(10 * time.Second).Format(time.RFC3339)}, "to": {noon.Add(590 * time.Second).Format(time.RFC3339)}}
	got := map[string][]float64{}
	for pages := 0; ; pages++ {
		var page readings
		ask(t, web, "/api/v1/devices/pi-7/readings?"+query.Encode(), 200, &page)
		for _, s := range page.Series {
			for _, v := range s.Samples {
				got[s.Quantity] = append(got[s.Quantity], float64(v.Time.Sub(noon)/time.Second))
			}
		}
		if page.Next == "" {
			break
		}
		if pages > 10 {
			t.Fatal("the pages do not end")
		}
		query.Set("cursor", page.Next)
	}
	var want []float64
	for i := 10; i < 590; i++ {
		want = append(want, float64(i))
	}
	for _, quantity := range []string{"temperature_celsius", "humidity_percent"} {
		if !slices.Equal(got[quantity], want) {
			t.Errorf("%s: %d samples, want %d in order", quantity, len(got[quantity]), len(want))
		}
	}
}

// A chart's buckets sum up the samples that are not bad, and show summaries where there is no sample.
func TestReadingsInBuckets(t *testing.T) {
	t.Parallel()
	_, web := serve(t, seed)
	query := url.Values{"points": {"13"}, "quantity": {"temperature_celsius"}, "sensor": {"bme280-1-76"},
		"from": {noon.Add(-3 * time.Minute).Format(time.RFC3339)}, "to": {noon.Add(10 * time.Minute).Format(time.RFC3339)}}
	var chart readings
	ask(t, web, "/api/v1/devices/pi-7/readings?"+query.Encode(), 200, &chart)
	if len(chart.Series) != 1 || len(chart.Series[0].Buckets) != 12 || len(chart.Series[0].Samples) > 0 {
		t.Fatalf("chart %+v", chart)
	}
	b := chart.Series[0].Buckets
	for i, want := range map[int]Bucket{
		0:  {noon.Add(-2 * time.Minute), -6, 0, -5, 60, true}, // what the device sent in the readings' place
		1:  {noon.Add(-time.Minute), -3, -1, -2, 60, true},
		2:  {noon, 0, 59, 29.5, 60, false},
		11: {noon.Add(9 * time.Minute), 540, 598, 569, 59, false},
	} {
		if b[i] != want {
			t.Errorf("bucket %d: %+v, want %+v", i, b[i], want)
		}
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	_, web := serve(t, seed)
	var complete struct{ Devices []receiver.Completeness }
	ask(t, web, "/api/v1/completeness", 200, &complete)
	var one receiver.Completeness
	ask(t, web, "/api/v1/devices/pi-7/completeness", 200, &one)
	want := []receiver.Span{{First: 601, Last: 660, State: "thinned"}, {First: 661, Last: 700, State: "missing"}}
	if len(one.Streams) != 1 || len(one.Streams[0].Lanes) != 1 || !slices.Equal(one.Streams[0].Lanes[0].Ranges, want) || len(complete.Devices) != 1 {
		t.Errorf("completeness %+v", one)
	}
	var alerts struct{ Alerts []Alert }
	ask(t, web, "/api/v1/alerts?device=pi-7&state=raised", 200, &alerts)
	if len(alerts.Alerts) != 1 || alerts.Alerts[0].Device != "pi-7" || alerts.Alerts[0].Value != 8.4 {
		t.Errorf("alerts %+v", alerts)
	}
	ask(t, web, "/api/v1/alerts?state=cleared", 200, &alerts)
	if alerts.Alerts == nil || len(alerts.Alerts) != 0 {
		t.Errorf("cleared alerts %+v, want an empty list", alerts)
	}
	var events struct{ Events []Event }
	ask(t, web, "/api/v1/devices/pi-7/events?event=boot", 200, &events)
	if len(events.Events) != 1 || string(events.Events[0].Data) != `{"boot":"b"}` || events.Events[0].Seq != 1 {
		t.Errorf("events %+v", events)
	}
	var letters struct {
		DeadLetters []DeadLetter `json:"dead_letters"`
	}
	ask(t, web, "/api/v1/dead-letters", 200, &letters)
	if len(letters.DeadLetters) != 1 || letters.DeadLetters[0].Encoding != "base64" || letters.DeadLetters[0].Payload != "/w==" {
		t.Errorf("dead letters %+v", letters)
	}
}

// A wrong question gets an answer that says what would be right.
func TestProblems(t *testing.T) {
	t.Parallel()
	_, web := serve(t, seed)
	for query, want := range map[string]string{
		"/api/v1/devices/pi-7/readings?limit=0":                                           "1",
		"/api/v1/devices/pi-7/readings?points=5000":                                       "2000",
		"/api/v1/devices/pi-7/readings?from=yesterday":                                    "2006-01-02T15:04:05",
		"/api/v1/devices/pi-7/readings?cursor=x":                                          "next",
		"/api/v1/devices/pi-7/readings?form=2026-05-01T12:00:00Z":                         "form",
		"/api/v1/devices/pi-7/readings?from=2026-05-01T12:00:00Z&to=2026-05-01T12:00:00Z": "before",
		"/api/v1/alerts?state=loud":                                                       "raised",
		"/api/v1/devices/pi-7/events?limit=1001":                                          "1000",
	} {
		answer, err := http.Get(web.URL + query)
		if err != nil {
			t.Fatal(err)
		}
		var problem json.RawMessage
		err = json.NewDecoder(answer.Body).Decode(&problem)
		answer.Body.Close()
		if err != nil || answer.StatusCode != 422 || answer.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %v, status %d, %s", query, err, answer.StatusCode, answer.Header.Get("Content-Type"))
		}
		if !strings.Contains(string(problem), want) {
			t.Errorf("%s: %s does not say %q", query, problem, want)
		}
	}
}

// A receiver that is not connected is not well, and says why; the metrics and the description are there all the same.
func TestHealthAndMetrics(t *testing.T) {
	t.Parallel()
	r, web := serve(t, seed)
	var health map[string]string
	ask(t, web, "/healthz", 503, &health)
	if health["database"] != "ok" || health["broker"] != "not connected yet" || health["store"] != r.Store.ID().String() {
		t.Errorf("health %v", health)
	}
	for path, want := range map[string]string{"/metrics": "holdfast_receiver_commit_seconds_count 0", "/openapi.json": "/api/v1/devices/{id}/readings"} {
		answer, err := http.Get(web.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		var found bool
		for lines := bufio.NewReader(answer.Body); ; {
			line, err := lines.ReadString('\n')
			found = found || strings.Contains(line, want)
			if err != nil {
				break
			}
		}
		answer.Body.Close()
		if !found {
			t.Errorf("%s does not hold %q", path, want)
		}
	}
}

// Live things are told as they are committed; history that catches up is not.
func TestTell(t *testing.T) {
	t.Parallel()
	r, _ := serve(t, seed)
	s := &server{r, r.Store, nil}
	reading := &holdfast.Reading{Time: noon.Add(9 * time.Minute), Sensor: "a", Values: map[string]float64{"x": 1}}
	for _, test := range []struct {
		live receiver.Live
		want string
	}{
		{receiver.Live{Kind: receiver.LiveSample, Device: "pi-7", Seq: 3, Reading: reading},
			"event: sample\ndata: {\"device\":\"pi-7\",\"time\":\"2026-05-01T12:09:00Z\",\"sensor\":\"a\",\"values\":{\"x\":1},\"seq\":3}\n\n"},
		{receiver.Live{Kind: receiver.LiveSample, Reading: &holdfast.Reading{Time: noon}}, ""},
		{receiver.Live{Kind: receiver.LiveDevice, Device: "pi-7", Online: true}, "event: device\ndata: {\"device\":\"pi-7\",\"online\":true}\n\n"},
		{receiver.Live{Kind: receiver.LiveLagged, Dropped: 4}, "event: lagged\ndata: {\"dropped\":4}\n\n"},
	} {
		if got := s.tell(test.live); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

// A stream begins at once and ends with the request.
func TestLive(t *testing.T) {
	t.Parallel()
	_, web := serve(t, seed)
	answer, err := http.Get(web.URL + "/api/v1/live?device=pi-7")
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(answer.Body).ReadString('\n')
	if err != nil || line != ": live\n" || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("got %q, %v, %s", line, err, answer.Header.Get("Content-Type"))
	}
	answer.Body.Close()
}
