package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"holdfast"
	"holdfast/receiver"
	"holdfast/receiver/api"
	"holdfast/receiver/desk"
	"holdfast/receiver/store"
	"holdfast/receiver/web"
)

func serveCommand(ctx context.Context, args []string, out io.Writer) error {
	cfg, rest, err := loadConfig(args, os.Getenv)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("%w: serve takes no argument %q", errUsage, rest[0])
	}
	level, err := cfg.level()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	return serve(ctx, cfg, log, out)
}

// serve is the receiver: the way of a batch from the broker into the database, and what is seen of it.
//
//	broker ──► ingest ──► ledger + store ──► api, web
//	   ▲▲         └─ receipt, after the commit
//	   │└─────────┘
//	   └► desk: commands and wishes, until their device has answered
func serve(ctx context.Context, cfg Config, log *slog.Logger, out io.Writer) (err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	held, err := lock(cfg.Data)
	if err != nil {
		return err
	}
	defer held.Close()

	database, err := store.Open(ctx, store.Options{Path: cfg.database(), Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.Close()) }()

	link, closeBroker, err := openBroker(ctx, cfg, database, log)
	if err != nil {
		return err
	}
	defer closeBroker()
	if err := cfg.remember(ctx, database); err != nil {
		return err
	}

	ingest, err := receiver.New(receiver.Options{
		Store: database, Link: link, Topics: holdfast.Topics{Prefix: cfg.TopicPrefix},
		Instance: cfg.Instance, Version: version, New: receiver.NewDevices(cfg.NewDevices), Log: log,
	})
	if err != nil {
		return err
	}
	orders := desk.New(desk.Options{
		Store: database, Link: link, Topics: holdfast.Topics{Prefix: cfg.TopicPrefix}, Instance: cfg.Instance, Log: log,
	})
	site := newSite(ctx, ingest, orders.Wake)

	var parts sync.WaitGroup
	failed := make(chan error, 3)
	part := func(run func(context.Context) error) {
		parts.Go(func() {
			defer stop() // one that ends takes the others with it
			failed <- run(ctx)
		})
	}
	part(ingest.Run)
	part(orders.Run)
	part(func(ctx context.Context) error { return serveHTTP(ctx, site, listener) })
	log.Info("receiver started", "version", version, "page", "http://"+listener.Addr().String()+"/", "broker", link.Broker, "store", database.ID())
	fmt.Fprintf(out, "receiver: pages and API at http://%s/, broker %s\n", listener.Addr(), link.Broker)
	parts.Wait()
	close(failed)
	for e := range failed {
		err = errors.Join(err, e)
	}
	log.Info("receiver stopped")
	return err
}

// newSite is what is seen of the receiver: the pages, and the API that they use. Requests end with ctx, streams too.
func newSite(ctx context.Context, ingest *receiver.Receiver, wake func()) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("/", web.Handler())
	seen := api.New(ingest, wake)
	for _, path := range []string{"/api/", "/healthz", "/metrics", "/openapi.json"} {
		mux.Handle(path, seen)
	}
	return &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
}

// serveHTTP serves until ctx ends, and then lets requests under way finish for a second.
func serveHTTP(ctx context.Context, site *http.Server, listener net.Listener) error {
	ended := make(chan error, 1)
	go func() { ended <- site.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve pages and API: %w", err)
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if site.Shutdown(patience) != nil {
		site.Close()
	}
	<-ended
	return nil
}
