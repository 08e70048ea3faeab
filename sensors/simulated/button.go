package simulated

import "context"

// A Button is one that software presses.
type Button struct {
	press   func()
	presses chan struct{}
}

// NewButton returns a button that calls press, from the goroutine of Run.
func NewButton(press func()) *Button {
	return &Button{press: press, presses: make(chan struct{}, 16)}
}

// Press presses the button once and does not wait for what comes of it. A finger that is faster than the consumer by more
// than sixteen presses is ignored, as bouncing is.
func (b *Button) Press() {
	select {
	case b.presses <- struct{}{}:
	default:
	}
}

// Run delivers presses until ctx ends, then returns nil.
func (b *Button) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-b.presses:
			b.press()
		}
	}
}
