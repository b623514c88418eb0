package endpoint

import "context"

// Reach makes a connection to the approach's target the way requests will (its proxy, its socket, its certificates, its
// protocol) and closes it. It sends no request.
func Reach(ctx context.Context, cfg Config) error {
	e, err := Open(cfg)
	if err != nil {
		return err
	}
	defer e.Close()
	w, _, err := newDialer(&cfg, e.(*remote).client.target.route).open(ctx)
	if err != nil {
		return err
	}
	return w.Close()
}
