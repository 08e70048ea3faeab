package kill

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"holdfast/internal/clock"
	"holdfast/internal/proof"
	"holdfast/internal/testenv"
)

func TestKillsEmbeddedBroker(t *testing.T) { testKills(t, false) }
func TestKillsMosquitto(t *testing.T)      { testKills(t, true) }

func testKills(t *testing.T, mosquitto bool) {
	if testing.Short() {
		t.Skip("-short: kills real processes for a minute")
	}
	b := newBench(t, mosquitto)
	kills, seed := proof.Count(t, "HOLDFAST_KILLS", 50), proof.Count(t, "HOLDFAST_SEED", int(time.Now().UnixNano()%1e6))
	t.Logf("%d kills, HOLDFAST_SEED=%d", kills, seed)
	gatewayKills := b.killAtRandom(t, rand.New(rand.NewPCG(uint64(seed), 1)), kills)

	b.gateway.Stop(t)
	truth := readTruth(t, b.truth)
	cutReplay(t, b.replay, len(truth))
	b.gateway.Start(t)
	b.waitDrained(t)
	b.gateway.Stop(t)
	b.receiver.Stop(t)

	v := judge(t, b.data, truth, gatewayKills)
	t.Logf("%d kills (%d of the gateway): %v", kills, len(gatewayKills), v)
	if v.once == 0 || v.twice > 0 || v.unexplained > 0 || len(v.holes) > 0 {
		t.Errorf("the promise is broken: %v\n%v", v, v.holes)
	}
}

// A bench is one gateway, one receiver and, where it is not the receiver's own, one broker.
type bench struct {
	gateway, receiver, broker *testenv.Process
	replay, truth             string // files
	data, buffer              string // folders of the receiver and the gateway
}

func (b *bench) processes() []*testenv.Process {
	if b.broker == nil {
		return []*testenv.Process{b.gateway, b.receiver}
	}
	return []*testenv.Process{b.gateway, b.receiver, b.broker}
}

func newBench(t *testing.T, mosquitto bool) *bench {
	t.Helper()
	dir, bin := t.TempDir(), testenv.Programs(t)
	mqttPort, apiPort, pagePort := testenv.FreePort(t), testenv.FreePort(t), testenv.FreePort(t)
	b := &bench{
		replay: writeReplay(t, dir, 500_000),
		truth:  filepath.Join(dir, "truth.log"),
		data:   filepath.Join(dir, "receiver"),
		buffer: filepath.Join(dir, "gateway"),
	}
	b.gateway = &testenv.Process{
		Name: "gateway", Binary: filepath.Join(bin, "gateway"), Log: testenv.LogFile(t, dir, "gateway"), Address: "127.0.0.1:" + pagePort,
		Args: []string{"run", "--replay", b.replay, "--replay-log", b.truth},
		Env: []string{"DATA_DIR=" + filepath.Join(dir, "gateway"), "HTTP_LISTEN=127.0.0.1:" + pagePort, "DEVICE_ID=kill-test",
			"MQTT_HOST=127.0.0.1", "MQTT_PORT=" + mqttPort, "MQTT_ACK=receipt"},
	}
	b.receiver = &testenv.Process{
		Name: "receiver", Binary: filepath.Join(bin, "receiver"), Log: testenv.LogFile(t, dir, "receiver"), Address: "127.0.0.1:" + apiPort,
		Args: []string{"serve"},
		Env:  []string{"RECEIVER_DATA=" + b.data, "RECEIVER_LISTEN=127.0.0.1:" + apiPort, "RECEIVER_INSTANCE=kill-test"},
	}
	if mosquitto {
		b.broker = mosquittoProcess(t, dir, mqttPort)
		b.receiver.Env = append(b.receiver.Env, "MQTT_HOST=127.0.0.1", "MQTT_PORT="+mqttPort)
		b.broker.Start(t)
		b.broker.WaitServing(t.Context(), t)
	} else {
		b.receiver.Env = append(b.receiver.Env, "RECEIVER_MQTT_LISTEN=127.0.0.1:"+mqttPort)
	}
	b.receiver.Start(t)
	b.gateway.Start(t)
	t.Cleanup(func() {
		for _, p := range b.processes() {
			p.Kill()
		}
	})
	b.receiver.WaitServing(t.Context(), t)
	return b
}

// killAtRandom kills one part after another and starts it again, and returns the instants at which the gateway died.
func (b *bench) killAtRandom(t *testing.T, random *rand.Rand, kills int) (gateway []int64) {
	t.Helper()
	now := clock.New().Now
	for range kills {
		testenv.Pause(t.Context(), time.Duration(200+random.IntN(1600))*time.Millisecond)
		victim := b.processes()[random.IntN(len(b.processes()))]
		victim.Kill()
		if victim == b.gateway {
			gateway = append(gateway, now().Mono)
		}
		testenv.Pause(t.Context(), time.Duration(random.IntN(300))*time.Millisecond)
		victim.Start(t)
	}
	for _, p := range b.processes() {
		p.WaitServing(t.Context(), t)
	}
	return gateway
}

// waitDrained waits until nothing of the gateway's waits for a receipt any more.
func (b *bench) waitDrained(t *testing.T) {
	t.Helper()
	testenv.Poll(t.Context(), t, 3*time.Minute, "the gateway to drain", func() bool {
		waiting, err := b.waiting(t.Context())
		return err == nil && waiting == 0
	})
}

// waiting asks the gateway how many records no receipt has come for yet.
func (b *bench) waiting(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.gateway.Address+"/api/v1/status", nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	var view struct {
		Records struct{ Waiting int }
	}
	if err := json.NewDecoder(answer.Body).Decode(&view); err != nil {
		return 0, err
	}
	return view.Records.Waiting, nil
}
