package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"holdfast"
	"holdfast/rules"
)

// webhooks post the steps of alerts to addresses in the local network. That is a courtesy beside the promise: what cannot be
// posted soon is dropped and told of, while the alert itself reaches the receiver as all records do.
type webhooks struct {
	device string
	client *http.Client
	event  func(holdfast.ActionChange)
	notice *notices
	log    *slog.Logger
	limits webhookLimits

	sent, failed, dropped atomic.Uint64

	mu    sync.Mutex
	queue []post          // oldest first; those of one URL are posted in that order
	ill   map[string]bool // rules whose last post failed
	added chan struct{}   // holds one when there is something new
}

// A post is what is to be posted.
type post struct {
	rule  string
	url   rules.URL
	body  []byte
	since time.Time
	tries int
	due   time.Time // not before
}

// webhookLimits bound what posting takes.
type webhookLimits struct {
	queue   int           // posts that wait, the one that is under way among them
	timeout time.Duration // of one attempt
	retry   time.Duration // behind the first attempt; twice as long behind each further one
	tries   int
	age     time.Duration // beyond which a post is given up
}

var usualWebhookLimits = webhookLimits{queue: 64, timeout: 5 * time.Second, retry: time.Second, tries: 4, age: time.Minute}

func newWebhooks(device string, limits webhookLimits, notices *notices, log *slog.Logger) *webhooks {
	return &webhooks{
		device: device, client: localClient(limits.timeout), notice: notices, log: log, limits: limits,
		ill: make(map[string]bool), added: make(chan struct{}, 1),
	}
}

// add queues a post. Where there are too many the oldest is dropped.
func (w *webhooks) add(o rules.Order) {
	body, err := json.Marshal(o.Record)
	if err != nil {
		w.fell(o.Rule, o.Action.URL, err, &w.failed)
		return
	}
	w.mu.Lock()
	var oldest *post
	if len(w.queue) >= w.limits.queue {
		oldest = &w.queue[0]
		w.queue = w.queue[1:]
	}
	w.queue = append(w.queue, post{rule: o.Rule, url: o.Action.URL, body: body, since: time.Now()})
	w.mu.Unlock()
	wake(w.added)
	if oldest != nil {
		w.fell(oldest.rule, oldest.url, fmt.Errorf("%d others waited behind it", w.limits.queue), &w.dropped)
	}
}

// run posts what is queued, one at a time, until ctx ends. What waits then is dropped.
func (w *webhooks) run(ctx context.Context) error {
	for ctx.Err() == nil {
		p, wait := w.next()
		if p != nil {
			w.attempt(ctx, p)
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-w.added:
		case <-timer.C:
		}
		timer.Stop()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.queue); n > 0 {
		w.log.Info("webhooks end with posts unsent", "posts", n)
	}
	return nil
}

// next returns the oldest post that is due and no earlier one to its URL waits, or how long there is none. The post stays in
// the queue.
func (w *webhooks) next() (*post, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wait, now := time.Hour, time.Now()
	waits := make(map[rules.URL]bool)
	for _, p := range w.queue {
		if waits[p.url] {
			continue
		}
		if !p.due.After(now) {
			return &p, 0
		}
		waits[p.url] = true
		wait = min(wait, p.due.Sub(now))
	}
	return nil, wait
}

// attempt posts once, and takes the post out of the queue unless it is worth another attempt.
func (w *webhooks) attempt(ctx context.Context, p *post) {
	again, err := w.post(ctx, p)
	if ctx.Err() != nil {
		return
	}
	p.tries++
	p.due = time.Now().Add(w.limits.retry << (p.tries - 1))
	again = again && p.tries < w.limits.tries && p.due.Sub(p.since) < w.limits.age
	if !w.put(p, again) || again {
		return // it had to make room meanwhile, or has its time to come
	}
	if err != nil {
		w.fell(p.rule, p.url, err, &w.failed)
		return
	}
	w.sent.Add(1)
	w.recovered(p.rule)
}

// put brings a post back into its place, or takes it out, and reports whether it was still there.
func (w *webhooks) put(p *post, back bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.queue {
		if &w.queue[i].body[0] != &p.body[0] {
			continue
		}
		if w.queue[i] = *p; !back {
			w.queue = append(w.queue[:i:i], w.queue[i+1:]...)
		}
		return true
	}
	return false
}

// fell tells of a post that was not taken: the first of its rule until one is taken again.
func (w *webhooks) fell(rule string, url rules.URL, err error, count *atomic.Uint64) {
	count.Add(1)
	w.log.Warn("webhook failed", "rule", rule, "url", url, "err", err)
	w.mu.Lock()
	known := w.ill[rule]
	w.ill[rule] = true
	w.mu.Unlock()
	if known {
		return
	}
	w.notice.add(fmt.Sprintf("%s: %s: %v", noticeOf(rule), url, err))
	w.event(holdfast.ActionChange{Rule: rule, Action: rules.ActionWebhook, State: holdfast.ActionFailed, Error: fmt.Sprintf("%s: %v", url, err)})
}

func (w *webhooks) recovered(rule string) {
	w.mu.Lock()
	known := w.ill[rule]
	delete(w.ill, rule)
	w.mu.Unlock()
	if !known {
		return
	}
	w.notice.removeAll(noticeOf(rule))
	w.event(holdfast.ActionChange{Rule: rule, Action: rules.ActionWebhook, State: holdfast.ActionRecovered})
}

// forget takes the notices back: the rules are others now.
func (w *webhooks) forget() {
	w.mu.Lock()
	w.ill = make(map[string]bool)
	w.mu.Unlock()
	w.notice.removeAll(webhookNotice)
}

// webhookNotice is how notices about webhooks begin.
const webhookNotice = "webhook of rule "

func noticeOf(rule string) string { return webhookNotice + rule + " is not taken" }
