package main

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing/synctest"

	"holdfast/mqtt"
	"holdfast/receiver"
	"holdfast/receiver/store"
)

const databaseFile = "receiver.db"

// A cloud is a receiver with its database, one process after another.
type cloud struct {
	*system
	instance string
	folder   string // of the database
	store    *store.Store
	db       *sql.DB // for SQL of the test's own, so that the database is not judged by the code that wrote it
	cable    *cable  // nil while no receiver runs
	receiver *receiver.Receiver
	cancel   context.CancelFunc
	ended    chan error
}

// cloud returns a receiver that does not run yet, with an empty database.
func (s *system) cloud(instance string) *cloud {
	c := &cloud{system: s, instance: instance, folder: s.folder("cloud")}
	c.open()
	s.t.Cleanup(func() {
		if c.cable != nil {
			c.stop()
		}
		c.close()
	})
	return c
}

// twin returns another receiver on the same database, which does not run yet.
func (c *cloud) twin(instance string) *cloud {
	other := &cloud{system: c.system, instance: instance, folder: c.folder, store: c.store, db: c.db}
	c.t.Cleanup(func() {
		if other.cable != nil {
			other.stop()
		}
	})
	return other
}

// suspend sets the device's status in the registry, as an operator does.
func (c *cloud) suspend(status string) {
	c.t.Helper()
	if err := c.store.Write(context.Background(), func(tx *store.Tx) error { return tx.SetStatus("bubble", status) }); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cloud) open() {
	c.t.Helper()
	s, err := store.Open(context.Background(), store.Options{Path: filepath.Join(c.folder, databaseFile)})
	if err != nil {
		c.t.Fatal(err)
	}
	c.store = s
	if c.db, err = sql.Open("sqlite", "file:"+filepath.Join(c.folder, databaseFile)+"?mode=ro"); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cloud) close() {
	if err := errors.Join(c.db.Close(), c.store.Close()); err != nil {
		c.t.Error(err)
	}
}

// start starts a receiver on the database.
func (c *cloud) start() {
	c.t.Helper()
	c.cable = newCable(c.broker)
	r, err := receiver.New(receiver.Options{
		Store: c.store, Link: mqtt.Options{Dial: c.cable.dial}, Instance: c.instance, Version: "test",
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.receiver = r
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel, c.ended = cancel, make(chan error, 1)
	ended := c.ended
	go func() { ended <- r.Run(ctx) }()
}

// stop ends the receiver as SIGTERM does. The database stays open.
func (c *cloud) stop() {
	c.t.Helper()
	c.cancel()
	if err := <-c.ended; err != nil {
		c.t.Errorf("receiver: %v", err)
	}
	c.cable = nil
}

// kill ends the receiver as SIGKILL does, see [system]. The database is open again afterwards, as the next process finds it.
func (c *cloud) kill() {
	c.t.Helper()
	synctest.Wait()
	c.cable.cut()
	folder := c.duplicate(c.folder, "cloud")
	c.stop()
	c.restore(folder)
}

// restore puts another folder in the place of the database.
func (c *cloud) restore(folder string) {
	c.t.Helper()
	c.close()
	c.folder = folder
	c.open()
}

// query runs SQL and calls row for each row found, once its columns are where into points.
func (c *cloud) query(into []any, row func(), text string, args ...any) {
	c.t.Helper()
	found, err := c.db.Query(text, args...)
	if err != nil {
		c.t.Fatal(err)
	}
	defer found.Close()
	for found.Next() {
		if err := found.Scan(into...); err != nil {
			c.t.Fatal(err)
		}
		row()
	}
	if err := found.Err(); err != nil {
		c.t.Fatal(err)
	}
}

// number returns the one number that a query finds.
func (c *cloud) number(text string, args ...any) (n int) {
	c.t.Helper()
	c.query([]any{&n}, func() {}, text, args...)
	return n
}

// completeness is what the receiver itself says of a device.
func (c *cloud) completeness(device string) *receiver.Completeness {
	c.t.Helper()
	found, err := receiver.Complete(context.Background(), c.store, device)
	if err != nil {
		c.t.Fatal(err)
	}
	return found
}
