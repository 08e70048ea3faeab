package virtualpi

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
)

// A card is the disk of one gateway and the receiver that it reports to, through every life of the machine on it.
type card struct {
	*testing.T
	parts    *parts
	disk     *Disk
	broker   string // port of the receiver's broker
	join     string // the device's variable
	data     string // folder of the receiver
	receiver *testenv.Process
	lives    []*life
}

// A life is the time from one start of the machine to the cut that ends it.
type life struct {
	*Machine
	*witness
	number  int
	page    string    // address at which the host reaches the gateway's page
	changes int64     // of settings, up to the newest that the page vouched for; 0: none was made
	end     time.Time // of its power; zero: it was shut down in order
}

// patience is for one step of the guest, on a machine that has other things to do.
const patience = 2 * time.Minute

// Rows of the replay: each life has its own, so that a value tells where it belongs.
const (
	rowInterval = 20 * time.Millisecond
	rowsPerLife = 100_000 // the values of life n begin behind n times so many
)

// parts are what every card needs: the image and programs.
type parts struct {
	image             *Image
	gateway, receiver string // for the guest, for the host
	mkfs, fsck        string
}

// newParts skips the test, or fails it, where something is missing.
func newParts(t *testing.T) *parts {
	t.Helper()
	needBench(t)
	testenv.NeedProgram(t, "nbdkit")
	return &parts{
		image: newImage(t), mkfs: testenv.NeedProgram(t, "mkfs.ext4"), fsck: testenv.NeedProgram(t, "e2fsck"),
		gateway: program(t, "gateway", "GOOS=linux", "GOARCH=arm", "GOARM=6"), receiver: program(t, "receiver"),
	}
}

func (c *card) do(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// newCard makes an empty disk and starts a receiver with an empty database.
func newCard(t *testing.T, p *parts) *card {
	t.Helper()
	dir := t.TempDir()
	disk, err := NewDisk(t.Context(), p.mkfs, filepath.Join(dir, "disk.img"))
	if err != nil {
		t.Fatal(err)
	}
	c := &card{T: t, parts: p, disk: disk, data: filepath.Join(dir, "receiver"), broker: testenv.FreePort(t)}
	c.receiver = &testenv.Process{
		Name: "receiver", Binary: p.receiver, Args: []string{"serve"},
		Address: "127.0.0.1:" + testenv.FreePort(t), Log: testenv.LogFile(t, dir, "receiver"),
	}
	c.receiver.Env = []string{
		"RECEIVER_DATA=" + c.data, "RECEIVER_LISTEN=" + c.receiver.Address, "RECEIVER_MQTT_LISTEN=127.0.0.1:" + c.broker, "MQTT_HOST=",
	}
	c.join = testenv.Join(t, p.receiver, device, c.receiver.Env...)
	c.receiver.Start(t)
	t.Cleanup(c.receiver.Kill)
	c.receiver.WaitServing(t.Context(), t)
	return c
}

// start boots the machine and starts the gateway on the card, as any Pi does at any start: nobody helps it.
func (c *card) start(rows int) *life {
	c.Helper()
	l := &life{number: len(c.lives) + 1, page: "127.0.0.1:" + testenv.FreePort(c)}
	replay := filepath.Join(c.TempDir(), "replay.csv")
	c.do(writeRows(replay, l.number, rows))
	m, err := Start(c.Context(), Config{
		Image: c.parts.image, Disk: c.disk, Ports: map[int]string{8080: l.page},
		Files: map[string]string{"/bin/gateway": c.parts.gateway, "/replay.csv": replay},
	})
	c.do(err)
	l.Machine, c.lives = m, append(c.lives, l)
	c.Cleanup(func() {
		m.Close()
		if c.Failed() {
			c.Logf("log of life %d:\n%s", l.number, m.Log())
		}
	})
	c.run(l, "until [ -b /dev/sda ]; do usleep 20000; done; mkdir /data; mount -t ext4 /dev/sda /data")
	if cache := c.run(l, "cat /sys/block/sda/queue/write_cache"); cache != "write back" {
		c.Fatalf("the guest calls the disk's cache %q: then it flushes nothing, and a cut means nothing", cache)
	}
	l.witness = newWitness(c.Context(), l.page)
	c.Cleanup(l.stop)
	c.run(l, strings.Join([]string{
		"DATA_DIR=/data/gateway", c.join, "BUFFER_MAX_BYTES=8388608", "HTTP_LISTEN=0.0.0.0:8080 DASHBOARD_TOKEN=" + token,
		"MQTT_HOST=10.0.2.2", "gateway run --replay /replay.csv >/dev/ttymxc0 2>&1 &",
	}, " "))
	return l
}

// run carries out a command in the guest that must succeed.
func (c *card) run(l *life, command string) string {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	said, err := l.Run(ctx, command)
	c.do(err)
	return said
}

// cut takes the power away and brings the file system in order, as the next start of a Pi would.
func (c *card) cut(l *life) {
	c.Helper()
	l.end = time.Now()
	l.Close()
	l.stop()
	said, err := c.disk.Check(c.Context(), c.parts.fsck)
	if err != nil {
		c.Errorf("life %d: e2fsck: %v", l.number, err)
	}
	c.Logf("life %d: e2fsck: %s", l.number, said)
}

// change changes a setting on the page, which answers when that is durable.
func (c *card) change(l *life) {
	c.Helper()
	var setting holdfast.Setting
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	c.do(call(ctx, http.MethodPut, l.page+"/api/v1/settings/"+holdfast.SettingInterval, fmt.Sprintf(`{"value":%d}`, l.number), &setting))
	l.changes = setting.Revision
}

// shutDown waits until the gateway holds nothing that is not receipted, ends it in order, and the machine with it.
func (c *card) shutDown(l *life, rows int) {
	c.Helper()
	testenv.Poll(c.Context(), c, patience, "the gateway to drain", func() bool {
		_, said := l.heard()
		return len(said.Sensors) == 1 && said.Sensors[0].Samples == rows && said.Buffer.Lanes[holdfast.LaneTelemetry].Head >= uint64(rows) && said.Records.Waiting == 0
	})
	c.run(l, "kill $(pidof gateway) && while pidof gateway >/dev/null; do usleep 50000; done && test -f /data/gateway/buffer.db.clean && umount /data")
	l.Close()
	l.stop()
}

// hears waits until the gateway's log says something.
func (c *card) hears(l *life, what string) {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	_, _, err := l.log.expect(ctx, 0, regexp.MustCompile(what))
	c.do(err)
}

// hasDurable waits until the page calls so many readings durable.
func (c *card) hasDurable(l *life, n uint64) {
	c.Helper()
	testenv.Poll(c.Context(), c, patience, "the gateway's page to call readings durable", func() bool {
		_, said := l.heard()
		return said.Buffer.Lanes[holdfast.LaneTelemetry].Head >= n
	})
}

// writeRows writes the replay of a life.
func writeRows(file string, life, rows int) error {
	var b strings.Builder
	b.WriteString("time,sensor,number_count\n")
	for i := range rows {
		fmt.Fprintf(&b, "%.3f,numbers,%d\n", (time.Duration(i) * rowInterval).Seconds(), life*rowsPerLife+i+1)
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}
