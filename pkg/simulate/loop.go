package simulate

import (
	"math"
	"sync"
	"time"
)

// loop moves a model along in the time of package time. It sleeps until the next instant at which something happens;
// since those instants come from the model, being late once delays nothing that follows.
type loop struct {
	base time.Time // the model's 0
	wake chan struct{}
	quit chan struct{}
	done chan struct{}

	mu    sync.Mutex
	model *model
	until time.Duration // what run sleeps until
}

const forever = time.Duration(math.MaxInt64)

func startLoop(m *model) *loop {
	l := &loop{base: time.Now(), model: m, wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	go l.run()
	return l
}

func (l *loop) run() {
	defer close(l.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		l.mu.Lock()
		l.tick()
		l.until = forever
		if next, ok := l.model.next(); ok {
			l.until = next
		}
		until := l.until
		l.mu.Unlock()
		if until == forever {
			timer.Stop()
		} else {
			timer.Reset(until - time.Since(l.base))
		}
		select {
		case <-timer.C:
		case <-l.wake:
		case <-l.quit:
			return
		}
	}
}

// tick brings the model to the present and hands out what is due. The caller holds mu.
func (l *loop) tick() {
	now := time.Since(l.base)
	l.model.advance(now)
	for out := &l.model.out; out.len() > 0 && out.first().due <= now; {
		d := out.pop()
		d.job.out.push(d.emission)
	}
}

// do changes the model, at the present.
func (l *loop) do(change func(*model)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tick()
	change(l.model)
	l.tick()
	if next, ok := l.model.next(); ok && next < l.until {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

func (l *loop) stop() {
	close(l.quit)
	<-l.done
}
