package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// both starts receiver and gateway, tells what to try, and ends everything when ctx ends. A part that is killed stays
// down until somebody starts it again: that is what the demo is there to show.
func both(ctx context.Context) error {
	var watchers sync.WaitGroup
	for _, p := range parts() {
		if pid := p.running(); pid != 0 {
			return fmt.Errorf("%s is running already, as process %d; stop it first", p.name, pid)
		}
		cmd, err := p.start()
		if err != nil {
			return err
		}
		if err := p.wait(ctx, cmd); err != nil {
			stopAll()
			return err
		}
		watchers.Go(func() { p.watch(ctx, cmd) })
	}
	tell()
	desk := &bench{address: gatewayAddress(), out: os.Stdout}
	go desk.listen(ctx, os.Stdin) // until the process ends: a read of the terminal cannot be called off
	<-ctx.Done()
	fmt.Println("\nstopping …")
	stopAll()
	watchers.Wait()
	fmt.Println("what they kept is in", folder+"/; `make run` goes on from there")
	return nil
}

// alone runs one part in the foreground, in place of one that was killed.
func alone(ctx context.Context, p part) error {
	if pid := p.running(); pid != 0 {
		return fmt.Errorf("%s is running already, as process %d", p.name, pid)
	}
	cmd, err := p.start()
	if err != nil {
		return err
	}
	fmt.Printf("%s runs as process %d; its page: %s\n", p.name, cmd.Process.Pid, p.page)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return p.ended(err)
	case <-ctx.Done():
		p.stop()
		<-ended
		return nil
	}
}

func (p part) start() (*exec.Cmd, error) {
	log, err := os.OpenFile(p.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := p.command()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches the demo alone, which ends them in order
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	return cmd, os.WriteFile(p.pidFile(), []byte(strconv.Itoa(cmd.Process.Pid)), 0o644)
}

// wait returns when the part's page answers, or with what its log says when it ended before.
func (p part) wait(ctx context.Context, cmd *exec.Cmd) error {
	client := http.Client{Timeout: time.Second}
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if answer, err := client.Get(p.page); err == nil {
			answer.Body.Close()
			return nil
		}
		if processName(cmd.Process.Pid) == "" {
			break
		}
	}
	return fmt.Errorf("%s did not come up; the end of %s:\n%s", p.name, p.logFile(), tail(p.logFile(), 12))
}

// watch says when a part has ended, and how to start it again.
func (p part) watch(ctx context.Context, cmd *exec.Cmd) {
	err := cmd.Wait()
	if ctx.Err() == nil {
		fmt.Printf("\n%v\n  start it again from another terminal:  make %s\n", describe(p, err), p.name)
	}
}

// ended makes an error of how a part in the foreground ended; it is none that somebody stopped it, as the other demo does at its end.
func (p part) ended(err error) error {
	if err != nil {
		return describe(p, err)
	}
	fmt.Printf("the %s was stopped\n", p.name)
	return nil
}

func describe(p part, err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("the %s ended (%s); its log: %s", p.name, exit, p.logFile())
	}
	return fmt.Errorf("the %s ended; its log: %s", p.name, p.logFile())
}

// stop ends the part, wherever it was started from, and kills it after 10 s.
func (p part) stop() {
	pid := p.running()
	if pid == 0 {
		return
	}
	syscall.Kill(pid, syscall.SIGTERM)
	for range 100 {
		if p.running() == 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	syscall.Kill(pid, syscall.SIGKILL)
}

// stopAll ends the gateway first: its last readings still find the receiver.
func stopAll() {
	all := parts()
	for i := len(all) - 1; i >= 0; i-- {
		all[i].stop()
	}
}

func tail(file string, lines int) string {
	data, _ := os.ReadFile(file)
	all := strings.Split(strings.TrimSpace(string(data)), "\n")
	return "  " + strings.Join(all[max(0, len(all)-lines):], "\n  ")
}

func tell() {
	fmt.Printf(`
  A simulated Pi is measuring, and its readings arrive.

    the Pi's own page        http://%s/
    the receiver's page      http://%s/

  Try this:
    · stop and start measuring with the button on the Pi's page
    · wait for the warm spell (within a minute): an alert is raised, then cleared
    · kill a part:           kill -9 $(cat %s)    or    kill -9 $(cat %s)
      start it again:        make gateway    or    make receiver
      and look at "completeness" on the receiver's page: every number is there, once
    · steer it over MQTT:    mosquitto_pub -p %s -u %s -P %s \
                               -q 1 -t devices/%s/command \
                               -m '{"v":1,"id":"try-1","name":"set_interval","args":{"seconds":0.5}}'

%s
  Ctrl-C ends everything; the next start goes on where this one was. Logs: %s/*.log
`, gatewayAddress(), receiverAddress(), parts()[1].pidFile(), parts()[0].pidFile(), brokerPort(), operator, password(), device(), keys, folder)
}
