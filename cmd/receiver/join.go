package main

import (
	"context"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"holdfast"
	"holdfast/receiver/ca"
	"holdfast/receiver/store"
)

// join returns all that a device needs to reach this receiver.
func (c *Config) join(s *store.Store, device string, secret holdfast.Secret) (holdfast.Join, error) {
	j := holdfast.Join{Device: device, Secret: secret, Store: s.ID(), Prefix: c.TopicPrefix}
	var err error
	if j.Host, j.Port, err = c.reached(); err != nil {
		return j, err
	}
	switch {
	case c.secure():
		authority, err := ca.Open(c.ca(), time.Now())
		if err != nil {
			return j, err
		}
		j.TLS, j.CA = true, [][]byte{authority.Certificate()}
	case !c.own():
		j.TLS, _ = strconv.ParseBool(c.MQTTTLS)
		if j.TLS && c.MQTTCA != "" {
			if j.CA, err = certificates(c.MQTTCA); err != nil {
				return j, err
			}
		}
	}
	return j, j.Validate()
}

// url says in words where devices find the broker.
func (c *Config) url() (string, error) {
	host, port, err := c.reached()
	if err != nil {
		return "", err
	}
	scheme := "mqtt://"
	if tls, _ := strconv.ParseBool(c.MQTTTLS); c.secure() || !c.own() && tls {
		scheme = "mqtts://"
	}
	return scheme + net.JoinHostPort(host, strconv.Itoa(port)), nil
}

// remember notes where devices find the broker, for those who print join strings with another environment.
func (c *Config) remember(ctx context.Context, s *store.Store) error {
	here, err := c.url()
	if err != nil {
		return nil // of a port that is another one each time, as in tests: nobody joins
	}
	if known, err := s.Meta(ctx, store.MetaReached); err != nil || known == here {
		return err
	}
	return s.Write(ctx, func(tx *store.Tx) error { return tx.SetMeta(store.MetaReached, here) })
}

// agree returns an error where a join string would lead elsewhere than to the receiver that ran last on this database.
func (c *Config) agree(ctx context.Context, s *store.Store) error {
	served, err := s.Meta(ctx, store.MetaReached)
	if err != nil || served == "" {
		return err
	}
	here, err := c.url()
	if err == nil && here != served {
		return fmt.Errorf("devices reach the receiver of this folder at %s, and this join string would say %s: want the same RECEIVER_MQTT_… and MQTT_… here as there, "+
			"or start the receiver once as it is to be", served, here)
	}
	return err
}

// certificates returns the certificates of a PEM file in DER.
func certificates(file string) (all [][]byte, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("MQTT_TLS_CA_CERTS: %w", err)
	}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return all, nil
		}
		if block.Type == "CERTIFICATE" {
			all = append(all, block.Bytes)
		}
	}
}
