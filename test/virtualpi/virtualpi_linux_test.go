package virtualpi

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"holdfast"
)

// TestVirtualPi follows readings the whole way: from a chip on a real I²C bus through the arm build of the gateway on a
// real kernel to the receiver on the host, unplugs chips, and presses a button that bounces. What it asserts it sees in the
// receiver.
func TestVirtualPi(t *testing.T) {
	needBench(t)
	gateway := program(t, "gateway", "GOOS=linux", "GOARCH=arm", "GOARM=6")
	p := &pi{T: t, receiver: startReceiver(t, program(t, "receiver"))}
	p.Machine = boot(t, map[string]string{"/bin/gateway": gateway})

	p.do(p.SetLine(t.Context(), Button, true)) // the button's pull-up
	p.run("i2cset -y 1 0x71 0x01")             // what is behind it is plugged in
	for _, id := range []string{"t0", "t1", "t2"} {
		p.do(p.SetTemperature(t.Context(), id, 20)) // at 0 °C a TMP105 is asked twice: it may just have been switched on
	}
	p.remember()
	p.scan()
	started := p.clock()
	p.start()
	p.temperatures()
	p.button()
	p.longAndDouble()
	p.output()
	p.discovered(started)
	p.follows()
	p.unplug()
	p.unchanged()
	p.complete()
	t.Log("the guest has been up for (s):", p.run("cut -d. -f1 /proc/uptime"))
}

const (
	device   = "virtual-pi"
	debounce = 30 * time.Millisecond
	interval = time.Second // between two samples
)

// A pi is the machine with the gateway on it, the receiver that it reports to, and the test that looks at both.
type pi struct {
	*testing.T
	*Machine
	*receiver
}

func (p *pi) do(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// run carries out a command in the guest that must succeed.
func (p *pi) run(command string) string {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), time.Minute)
	defer cancel()
	said, err := p.Machine.Run(ctx, command)
	p.do(err)
	return said
}

// scan asserts that the gateway identifies every chip, and nothing else, with nothing configured.
func (p *pi) scan() {
	p.Helper()
	begin := time.Now()
	if said := p.run("I2C_LEAVE_ALONE=1:0x71,2:0x70 gateway scan"); said != findings {
		p.Fatalf("gateway scan:\n%s\nwant:\n%s", said, findings)
	}
	p.Logf("gateway scan took %v", time.Since(begin).Round(time.Millisecond))
}

// start runs the gateway, as a Pi without network time would, with its log in the machine's.
func (p *pi) start() {
	p.run(strings.Join([]string{
		"DATA_DIR=/tmp/data", p.join, "INTERVAL_SECONDS=1", "I2C_LEAVE_ALONE=1:0x71",
		"MQTT_HOST=10.0.2.2", "HTTP_LISTEN=127.0.0.1:8080",
		"BUTTON_CHIP=20ac000.gpio BUTTON_PIN=7 BUTTON_PULL_UP_DOWN=UP BUTTON_EVENT=FALLING BUTTON_BOUNCE_MILLIS=" + strconv.Itoa(int(debounce.Milliseconds())),
		"BUTTON_LONG_SECONDS=5 BUTTON_DOUBLE_MILLIS=1000", // nothing here is in a hurry
		"LED_CHIP=20ac000.gpio LED_PIN=9 GATEWAY_CONFIG='outputs: [{name: fan, chip: 20ac000.gpio, pin: 8, max_on: 5}]'",
		"gateway run >/dev/ttymxc0 2>&1 &",
	}, " "))
}

// temperatures sets what the chip measures and waits for exactly that in the receiver's database.
func (p *pi) temperatures() {
	for _, want := range []float64{21.5, -10.25, 85.0625} {
		p.do(p.SetTemperature(p.Context(), "t0", want))
		begin := time.Now()
		eventually(p.T, time.Minute, func(ctx context.Context) error {
			if got, err := p.latest(ctx, "-0-48"); got != want || err != nil {
				return fmt.Errorf("set %v °C, the receiver has %v, %v", want, got, err)
			}
			return nil
		})
		p.Logf("%v °C seen in the receiver after %v", want, time.Since(begin).Round(time.Millisecond))
	}
}

// button asserts that each of two presses, however it bounces, is one event and toggles measuring once.
func (p *pi) button() {
	const tries = 8
	want, exact := p.presses(), 0
	for range tries {
		want++
		pause := p.press(want)
		p.settled(want)
		got := p.presses()
		if pause >= debounce { // then it was no bounce
			p.Logf("this busy machine let the contact rest for %v: %d presses; once more", pause, got-want+1)
			want, exact = got, 0
			continue
		}
		if got != want {
			p.Fatalf("one press with pauses of at most %v: the receiver has %d button events, want %d", pause, got, want)
		}
		if exact++; exact >= 2 && want%2 == 0 {
			p.Logf("%d button events, pauses of the contact up to %v", got, pause)
			return
		}
	}
	p.Fatalf("none of %d presses bounced fast enough to mean anything", tries)
}

// press pushes the button, lets it go and waits until the receiver knows of want presses. It returns the longest time that
// the contact really rested between two changes while it bounced.
func (p *pi) press(want int) time.Duration {
	p.Helper()
	push := p.bounce(false)
	p.run("usleep 100000") // in the guest's time: then it has noticed
	release := p.bounce(true)
	p.run("usleep 200000")
	eventually(p.T, 30*time.Second, func(context.Context) error {
		if got := p.presses(); got < want {
			return fmt.Errorf("the button was pressed, and the receiver has %d button events, want %d", got, want)
		}
		return nil
	})
	return max(push, release)
}

// bounce brings the button's line to a level, with seven changes 4 ms apart. It returns the longest time that the line
// really rested between two of them.
func (p *pi) bounce(high bool) (pause time.Duration) {
	const changes, apart = 7, 4 * time.Millisecond
	tick := time.NewTicker(apart)
	defer tick.Stop()
	last := time.Now()
	for i := range changes {
		p.do(p.SetLine(p.Context(), Button, high == (i%2 == 0)))
		pause, last = max(pause, time.Since(last)), time.Now()
		<-tick.C
	}
	return pause
}

// longAndDouble asserts that two quick presses leave measuring as it was and are told as such, and that a long one stops.
func (p *pi) longAndDouble() {
	for _, step := range []struct {
		moves     []string // how long the contact is closed, open, closed …
		want      string   // the newest press
		measuring bool
	}{
		{[]string{"60000", "60000", "60000", "1500000"}, holdfast.PressDouble, true},
		{[]string{"5500000", "1500000"}, holdfast.PressLong, false},
		{[]string{"60000", "1500000"}, holdfast.PressShort, true},
	} {
		for i, wait := range step.moves {
			p.do(p.SetLine(p.Context(), Button, i%2 == 1))
			p.run("usleep " + wait)
		}
		eventually(p.T, 30*time.Second, func(ctx context.Context) error {
			all, err := events[holdfast.Press](ctx, p.receiver, holdfast.EventButton)
			if err != nil || len(all) == 0 || all[0].Data.Press != step.want {
				return fmt.Errorf("contact moved as %q: presses %+v, %v, want %s in front", step.moves, all, err, step.want)
			}
			if measuring, err := p.measuring(ctx); err != nil || measuring != step.measuring {
				return fmt.Errorf("after a %s press: measuring %v, %v, want %v", step.want, measuring, err, step.measuring)
			}
			return nil
		})
	}
}

// output asserts that the kernel has LED and output as the gateway says, and that the output goes off by itself.
func (p *pi) output() {
	p.run("mkdir -p /sys/kernel/debug && mount -t debugfs none /sys/kernel/debug")
	lines := func() string { return p.run("grep holdfast /sys/kernel/debug/gpio || true") }
	fan := func(level string) {
		eventually(p.T, 30*time.Second, func(context.Context) error {
			for line := range strings.Lines(lines()) {
				if strings.Contains(line, "output fan") && strings.Contains(line, "out "+level) {
					return nil
				}
			}
			return fmt.Errorf("the kernel's lines are not as expected, output fan %s:\n%s", level, lines())
		})
	}
	fan("lo")
	// Busybox's nc closes its side at the end of what it sends, by which a server knows that nobody waits for the answer.
	said := p.run(`body='{"value":true}'; { printf 'PUT /api/v1/settings/output.fan HTTP/1.0\r\nHost: localhost\r\nContent-Length: '${#body}'\r\n\r\n'$body; sleep 2; } | busybox nc 127.0.0.1 8080`)
	if !strings.Contains(said, "200 OK") {
		p.Fatalf("switch the output on: %s", said)
	}
	fan("hi")
	p.Logf("the kernel's lines:\n%s", lines())
	fan("lo")
	eventually(p.T, 30*time.Second, func(ctx context.Context) error {
		all, err := events[holdfast.OutputChange](ctx, p.receiver, holdfast.EventOutput)
		if err != nil || len(all) != 2 || !all[1].Data.On || all[0].Data.On || all[0].Data.Origin != holdfast.OriginLimit {
			return fmt.Errorf("events of the output: %+v, %v, want on, then off by its limit", all, err)
		}
		return nil
	})
}

// presses returns how many presses the receiver knows of.
func (p *pi) presses() int {
	p.Helper()
	all, err := events[holdfast.Press](p.Context(), p.receiver, holdfast.EventButton)
	p.do(err)
	return len(all)
}

// settled waits until the receiver knows of that many presses or more, and has what followed from them: the state agrees
// with their number, and, where it measures, a reading that was taken behind them has arrived.
func (p *pi) settled(presses int) {
	p.Helper()
	celsius := float64(20 + presses)
	p.do(p.SetTemperature(p.Context(), "t0", celsius))
	eventually(p.T, 30*time.Second, func(ctx context.Context) error {
		measuring, err := p.measuring(ctx)
		if got := p.presses(); got < presses || measuring != (got%2 == 0) || err != nil {
			return fmt.Errorf("press %d: the receiver has %d button events and measuring %v, %v", presses, got, measuring, err)
		}
		if got, err := p.latest(ctx, "-0-48"); measuring && (got != celsius || err != nil) {
			return fmt.Errorf("press %d: the receiver has %v °C, %v, want %v", presses, got, err, celsius)
		}
		return nil
	})
}

// complete asserts that the receiver holds every number that the gateway ever gave, with nothing to explain.
func (p *pi) complete() {
	eventually(p.T, 30*time.Second, func(ctx context.Context) error {
		got, err := p.completeness(ctx)
		if t := got.Totals; err != nil || t.Data < 10 || t.Data != t.Head || len(got.Streams) != 1 {
			return fmt.Errorf("completeness: %+v, %v, want one stream, and data up to its head", got, err)
		}
		return nil
	})
}
