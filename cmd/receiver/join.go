package main

import (
	"encoding/pem"
	"fmt"
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
