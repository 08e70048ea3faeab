package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/mqtt"
)

// An olderClient is a program that was written for the older system: it knows the topics, the list of objects whose values
// are texts, and the four commands.
type olderClient struct {
	t    *testing.T
	conn *mqtt.Conn

	mu      sync.Mutex
	values  map[string]map[string]string // by _id
	order   []string                     // ids as they came, each once
	twice   int
	answers []string
}

const olderTopic = "iot-projekt/device/pi-7/"

func (s *system) olderClient() *olderClient {
	s.t.Helper()
	c := &olderClient{t: s.t, values: map[string]map[string]string{}}
	c.connect(s)
	s.t.Cleanup(func() { c.conn.Close(context.Background()) })
	return c
}

// connect connects, also after the broker was gone.
func (c *olderClient) connect(s *system) {
	c.t.Helper()
	if c.conn != nil {
		c.conn.Close(c.t.Context())
	}
	conn, err := mqtt.Connect(c.t.Context(), mqtt.Options{Dial: s.broker.Dial, ClientID: "older", CleanSession: true, Handler: c.take})
	if err == nil {
		err = conn.Subscribe(c.t.Context(), olderTopic+"values", olderTopic+"response")
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.conn = conn
}

func (c *olderClient) take(m mqtt.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if strings.HasSuffix(m.Topic, "/response") {
		c.answers = append(c.answers, string(m.Payload))
		return
	}
	var list []map[string]string
	if err := json.Unmarshal(m.Payload, &list); err != nil || len(list) == 0 {
		c.t.Errorf("values %.200s: %v, want a list of objects with texts", m.Payload, err)
	}
	for _, e := range list {
		id := e["_id"]
		if before, known := c.values[id]; known {
			if c.twice++; !maps.Equal(before, e) {
				c.t.Errorf("%s came as %v and as %v", id, before, e)
			}
			continue
		}
		c.values[id] = e
		c.order = append(c.order, id)
	}
}

// ask sends a command and returns the answers that come within a second, and how many values came with them.
func (c *olderClient) ask(topic, command string) (answers []string, values int) {
	c.t.Helper()
	c.mu.Lock()
	before := len(c.order) + c.twice
	c.answers = nil
	c.mu.Unlock()
	if err := c.conn.Publish(c.t.Context(), mqtt.Message{Topic: topic, Payload: []byte(command)}); err != nil {
		c.t.Fatal(err)
	}
	wait(time.Second)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answers, len(c.order) + c.twice - before
}

func (c *olderClient) ids() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.order)
}

// compare returns how many of the readings that were taken came, and how many were lost in the window of a kill.
func (c *olderClient) compare(p *pi) (came, lost int) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range p.lives {
		for _, r := range l.readings() {
			e := c.values[r.ID]
			if e == nil {
				if lost++; l.killed.IsZero() || l.killed.Sub(r.Time) > 2*time.Second {
					c.t.Errorf("%s of %s never came", r.ID, r.Sensor)
				}
				continue
			}
			came++
			want := map[string]string{"_id": r.ID, "_sensor": r.Sensor, "_device_uuid": "pi-7", "_device_type": "", "_app_id": "", "_app_name": ""}
			for quantity, v := range r.Values {
				want[quantity] = strconv.FormatFloat(v, 'f', -1, 64)
			}
			if !maps.Equal(e, want) {
				c.t.Errorf("came as %v, want %v", e, want)
			}
		}
	}
	return came, lost
}

// Programs of the older system get every reading, at least once, always under the same id, and the gateway frees what the
// broker has: through outages of the broker, a stop, and a kill that takes a window.
func TestOlderSystemGetsEveryReading(t *testing.T) {
	t.Parallel()
	for _, name := range []string{profileFlat, profileBoth} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSystem(t)
				client := s.olderClient()
				p := s.pi("pi-7", "MQTT_PROFILE", name)
				p.start()
				wait(time.Minute)
				s.broker.Block()
				wait(5 * time.Minute)
				p.stop()
				p.start()
				wait(5 * time.Minute)
				s.broker.Unblock()
				client.connect(s)
				wait(2 * time.Minute)
				p.kill()
				p.start()
				wait(time.Minute)
				p.rest()
				client.conn.Close(t.Context()) // nothing comes any more

				want, lost := client.compare(p)
				if got := len(client.values); got != want || want < 1500 || lost > 6 {
					t.Errorf("%d readings came, %d of them were taken, %d are lost", got, want, lost)
				}
				if name == profileFlat && p.pending() > 0 {
					t.Errorf("%d records are kept though the broker has them", p.pending())
				}
				t.Logf("%d readings, %d came again, %d lost in the window of the kill", want, client.twice, lost)
			})
		})
	}
}

// The four commands, in any case, without ids, to the device and to all, with the answers that the older system gave; what it
// took silently, though it was wrong, is answered with an error.
func TestOlderCommands(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSystem(t)
		client := s.olderClient()
		p := s.pi("pi-7", "MQTT_PROFILE", profileFlat, "INTERVAL_SECONDS", "2")
		p.start()
		wait(10 * time.Second)
		request, all := olderTopic+"request", "iot-projekt/device/broadcast/control"
		for _, test := range []struct{ topic, command, want string }{
			{request, `{"command":"get_config","key":"measurement:interval"}`, `{"command":"get_config","key":"measurement:interval","value":"2"}`},
			{request, `{"command":"GET_CONFIG","key":"measurement:enabled"}`, `{"command":"get_config","key":"measurement:enabled","value":"1"}`},
			{request, `{"command":"Set_Config","key":"measurement:interval","value":"5"}`, `{"command":"set_config","key":"measurement:interval","value":"5"}`},
			{request, `{"command":"get_config","key":"measurement:interval"}`, `{"command":"get_config","key":"measurement:interval","value":"5"}`},
			{all, `{"command":"set_config","key":"measurement:enabled","value":0}`, `{"command":"set_config","key":"measurement:enabled","value":0}`},
			{all, `{"command":"get_config","key":"measurement:enabled"}`, `{"command":"get_config","key":"measurement:enabled","value":"0"}`},
			{request, `{"command":"set_config","key":"mqtt_sender:interval","value":"0.5"}`, `{"command":"set_config","key":"mqtt_sender:interval","value":"0.5"}`},
			{request, `{"command":"get_config","key":"mqtt_sender:enabled"}`, `{"command":"get_config","key":"mqtt_sender:enabled","value":"1"}`},
			{request, `{"command":"set_config","key":"measurement:enabled","value":"perhaps"}`,
				`{"command":"set_config","key":"measurement:enabled","value":"perhaps","error":"measurement:enabled: \"perhaps\": want 1 or 0"}`},
			{request, `{"command":"set_config","key":"measurement:interval","value":"-1"}`, `"error":`},
			{request, `{"command":"get_config","key":"secret"}`, `"error":`},
			{request, `{"command":"dance"}`, `{"command":"dance","error":"\"dance\" is no command: want reboot, get_config, set_config or send_measurements"}`},
			{request, `nonsense`, `"error":`},
			{request, `{"command":"reboot"}`, `"error":`}, // no supervisor here
		} {
			answers, _ := client.ask(test.topic, test.command)
			if len(answers) != 1 || !(sameJSON(answers[0], test.want) || test.want == `"error":` && strings.Contains(answers[0], test.want)) {
				t.Errorf("%s: %q, want %s", test.command, answers, test.want)
			}
		}
		if p.life.gateway.control.Measuring() || p.life.gateway.control.Interval("") != 5*time.Second {
			t.Error("what was set does not hold")
		}
		if by, _ := p.life.gateway.control.Get(holdfast.SettingMeasuring); by.Origin != holdfast.OriginCommand || by.Reason == "" {
			t.Errorf("measuring was set by %+v", by)
		}
	})
}

// send_measurements publishes a range again and moves nothing; mqtt_sender:last_id moves the cursor.
func TestOlderMeasurementsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSystem(t)
		client := s.olderClient()
		p := s.pi("pi-7", "MQTT_PROFILE", profileFlat)
		p.start()
		wait(20 * time.Second)
		request := olderTopic + "request"
		client.ask(request, `{"command":"set_config","key":"measurement:enabled","value":"0"}`)
		wait(5 * time.Second)
		ids := client.ids()
		if len(ids) < 30 {
			t.Fatalf("%d readings came in 20 s from two sensors", len(ids))
		}
		ask := func(format string, args ...any) int {
			answers, values := client.ask(request, fmt.Sprintf(format, args...))
			if len(answers) > 0 {
				t.Errorf("%s: %s", fmt.Sprintf(format, args...), answers)
			}
			return values
		}
		for _, test := range []struct {
			command string
			want    int
		}{
			{`{"command":"send_measurements"}`, len(ids)},
			{`{"command":"send_measurements","min_id":"-","max_id":"+","count":7}`, 7},
			{`{"command":"send_measurements","count":"3"}`, 3},
			{fmt.Sprintf(`{"command":"send_measurements","min_id":%q}`, ids[10]), len(ids) - 10},
			{fmt.Sprintf(`{"command":"send_measurements","min_id":%q}`, "("+ids[10]), len(ids) - 11},
			{fmt.Sprintf(`{"command":"send_measurements","min_id":%q,"max_id":%q}`, ids[10], ids[19]), 10},
			{fmt.Sprintf(`{"command":"send_measurements","max_id":%q}`, "("+ids[4]), 4},
			{fmt.Sprintf(`{"command":"send_measurements","min_id":%s,"max_id":%[1]s}`, ms(ids[20])), sameMs(ids, ids[20])},
			{`{"command":"send_measurements","min_id":"9999999999999"}`, 0},
		} {
			if got := ask("%s", test.command); got != test.want {
				t.Errorf("%s: %d values, want %d", test.command, got, test.want)
			}
		}
		if answers, values := client.ask(request, `{"command":"send_measurements","min_id":"yesterday"}`); len(answers) != 1 || values > 0 || !strings.Contains(answers[0], "min_id") {
			t.Errorf("a wrong id: %s, %d values", answers, values)
		}
		key := `{"command":"get_config","key":"mqtt_sender:last_id"}`
		last := fmt.Sprintf(`{"command":"get_config","key":"mqtt_sender:last_id","value":%q}`, "("+ids[len(ids)-1])
		if answers, _ := client.ask(request, key); len(answers) != 1 || !sameJSON(answers[0], last) {
			t.Errorf("%s: %s, want %s", key, answers, last)
		}
		if _, values := client.ask(request, fmt.Sprintf(`{"command":"set_config","key":"mqtt_sender:last_id","value":%q}`, "("+ids[20])); values != len(ids)-21 {
			t.Errorf("set back behind the 21st: %d values, want %d", values, len(ids)-21)
		}
		if answers, _ := client.ask(request, key); len(answers) != 1 || !sameJSON(answers[0], last) {
			t.Errorf("%s: %s, want %s", key, answers, last)
		}
	})
}

func ms(id string) string { return strings.Split(id, "-")[0] }

// sameMs counts the ids of the millisecond of one.
func sameMs(ids []string, id string) (n int) {
	for _, other := range ids {
		if ms(other) == ms(id) {
			n++
		}
	}
	return n
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// The plain profile: one object a reading, and a retained one that says whether the device is there.
func TestPlainProfile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSystem(t)
		var mu sync.Mutex
		var messages []string
		conn, err := mqtt.Connect(t.Context(), mqtt.Options{Dial: s.broker.Dial, ClientID: "plain", CleanSession: true, Handler: func(m mqtt.Message) {
			mu.Lock()
			defer mu.Unlock()
			messages = append(messages, string(m.Payload))
		}})
		if err == nil {
			err = conn.Subscribe(t.Context(), "devices/pi-7/telemetry")
		}
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		p := s.pi("pi-7", "MQTT_PROFILE", profilePlain)
		p.start()
		wait(30 * time.Second)
		p.rest()
		if state := string(s.broker.Retained("devices/pi-7/state")); !strings.Contains(state, `"data":{"online":true}`) {
			t.Errorf("state %s", state)
		}
		taken := p.life.readings()
		mu.Lock()
		received := slices.Clone(messages)
		mu.Unlock()
		if len(received) != len(taken) || len(taken) < 50 || p.pending() > 0 {
			t.Fatalf("%d messages for %d readings, %d pending", len(received), len(taken), p.pending())
		}
		for i, text := range received {
			var m struct {
				Device    string         `json:"device_id"`
				Timestamp time.Time      `json:"timestamp"`
				Data      map[string]any `json:"data"`
			}
			r := taken[i]
			if err := json.Unmarshal([]byte(text), &m); err != nil || m.Device != "pi-7" || !m.Timestamp.Equal(r.Time) || m.Data["sensor"] != r.Sensor || len(m.Data) != 1+len(r.Values) {
				t.Errorf("%s (%v), want %+v", text, err, r)
			}
			for quantity, v := range r.Values {
				if m.Data[quantity] != v {
					t.Errorf("%s: %s is %v, want %v", text, quantity, m.Data[quantity], v)
				}
			}
		}

		// Who ends says when; of who is gone nobody knows.
		ended := time.Now().UTC().Format(time.RFC3339Nano)
		p.stop()
		if got, want := string(s.broker.Retained("devices/pi-7/state")), fmt.Sprintf(`{"device_id":"pi-7","timestamp":%q,"data":{"online":false}}`, ended); got != want {
			t.Errorf("after the end: %s, want %s", got, want)
		}
		p.start()
		wait(10 * time.Second)
		p.kill()
		wait(time.Minute)
		if got, want := string(s.broker.Retained("devices/pi-7/state")), `{"device_id":"pi-7","data":{"online":false}}`; got != want {
			t.Errorf("after a kill: %s, want %s", got, want)
		}
	})
}
