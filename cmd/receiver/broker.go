package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver/broker"
	"holdfast/receiver/ca"
	"holdfast/receiver/store"
)

// openBroker returns how the operator's broker is reached, or starts the one inside.
func openBroker(ctx context.Context, cfg Config, database *store.Store, log *slog.Logger) (mqtt.Options, func(), error) {
	if !cfg.own() {
		link, err := cfg.link()
		return link, func() {}, err
	}
	o := broker.Options{
		Dir: filepath.Join(cfg.Data, "broker"), Listen: cfg.BrokerListen, Log: log,
		Topics: holdfast.Topics{Prefix: cfg.TopicPrefix}, Instance: cfg.Instance, Logins: allLogins(database),
	}
	if cfg.secure() {
		names, _, err := cfg.public()
		if err != nil {
			return mqtt.Options{}, nil, err
		}
		authority, err := ca.Open(cfg.ca(), time.Now())
		if err != nil {
			return mqtt.Options{}, nil, err
		}
		if o.TLS, err = authority.Server(names, time.Now); err != nil {
			return mqtt.Options{}, nil, err
		}
		o.LinkTLS = authority.Client()
	}
	b, err := broker.Start(o)
	if err != nil {
		return mqtt.Options{}, nil, err
	}
	if err := tellWhoCannotLogIn(ctx, database, log); err != nil {
		b.Close()
		return mqtt.Options{}, nil, err
	}
	return b.Link(), b.Close, nil
}

// tellWhoCannotLogIn warns of devices from before there were secrets: the broker inside lets none of them in.
func tellWhoCannotLogIn(ctx context.Context, database *store.Store, log *slog.Logger) error {
	devices, err := database.Devices(ctx, "", maxDevices)
	if err != nil {
		return err
	}
	for _, d := range devices {
		if !d.Secret && d.Status != store.StatusRetired {
			log.Warn("device has no secret yet and cannot log in; it keeps its data meanwhile", "device", d.ID, "to let it in", "receiver device add "+d.ID)
		}
	}
	if len(devices) == 0 {
		log.Info("no device is registered yet", "to register one", "receiver device add NAME")
	}
	return nil
}
