package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"holdfast/internal/testenv"
	"holdfast/mqtt"
)

// A program that was written for the older system, and knows nothing else, against real servers: values come over MQTT under
// the ids that they have in Redis, a key that is written in Redis steers the gateway, and a command shows there.
func TestOlderProgram(t *testing.T) {
	t.Parallel()
	broker, server := testenv.Mosquitto(t), testenv.Redis(t)
	host, port, err := net.SplitHostPort(broker.Addr)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := loadConfig("", variables("DATA_DIR", t.TempDir(), "HTTP_LISTEN", "off", "DEVICE_ID", "pi-7", "MQTT_PROFILE", profileFlat,
		"MQTT_HOST", host, "MQTT_PORT", port, "REDIS_ADDRESS", server.Addr, "INTERVAL_SECONDS", "0.2"))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var ids []string
	answers := make(chan string, 10)
	conn, err := mqtt.Connect(t.Context(), mqtt.Options{Broker: "tcp://" + broker.Addr, ClientID: "older", CleanSession: true, Handler: func(m mqtt.Message) {
		var list []map[string]string
		if json.Unmarshal(m.Payload, &list) != nil {
			answers <- string(m.Payload)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for _, e := range list {
			ids = append(ids, e["_id"])
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.Subscribe(t.Context(), olderTopic+"values", olderTopic+"response"); err != nil {
		t.Fatal(err)
	}
	stop := runSimulated(t, cfg)
	defer stop()
	came := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(ids)
	}
	testenv.Poll(t.Context(), t, 20*time.Second, "20 values", func() bool { return came() >= 20 })

	client := goredis.NewClient(&goredis.Options{Network: server.Network, Addr: server.Addr})
	defer client.Close()
	if err := client.Set(t.Context(), "measurement:enabled", "0", 0).Err(); err != nil {
		t.Fatal(err)
	}
	testenv.Poll(t.Context(), t, 20*time.Second, "an end of values", func() bool {
		before := came()
		testenv.Pause(t.Context(), 2*time.Second)
		return came() == before
	})
	entries, err := client.XRange(t.Context(), "measurement:values", "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	var inRedis []string
	for _, e := range entries {
		inRedis = append(inRedis, e.ID)
	}
	if !slices.Equal(inRedis, ids) {
		t.Errorf("ids in Redis and over MQTT differ:\n%v\n%v", inRedis, ids)
	}
	if last := client.Get(t.Context(), "mqtt_sender:last_id").Val(); last != "("+ids[len(ids)-1] {
		t.Errorf("last_id %s, want that of %s", last, ids[len(ids)-1])
	}
	if err := conn.Publish(t.Context(), mqtt.Message{Topic: olderTopic + "request", Payload: []byte(`{"command":"set_config","key":"measurement:interval","value":"0.5"}`)}); err != nil {
		t.Fatal(err)
	}
	if answer := <-answers; !sameJSON(answer, `{"command":"set_config","key":"measurement:interval","value":"0.5"}`) {
		t.Errorf("answer %s", answer)
	}
	testenv.Poll(t.Context(), t, 10*time.Second, "the interval in Redis", func() bool {
		return client.Get(t.Context(), "measurement:interval").Val() == "0.5"
	})
}

func runSimulated(t *testing.T, cfg Config) (stop func()) {
	t.Helper()
	w, err := simulatedPi(&cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, cfg, w) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("gateway: %v", err)
		}
	}
}
