// Preloaded into node: a script can connect to this host only.
import net from 'node:net';

const isThisHost = (host) => /^(localhost|127(\.\d+){3}|::1)$/.test(host);

const { connect } = net.Socket.prototype;

net.Socket.prototype.connect = function connectToThisHost(...args) {
  // net.connect() passes its arguments on as one normalized list.
  const [first, second] = Array.isArray(args[0]) ? args[0] : args;
  const host = typeof first === 'object' ? first.host : second;
  const isLocal = first?.path !== undefined || typeof host !== 'string' || isThisHost(host);
  if (!isLocal) {
    throw new Error(`${host} is not this host`);
  }
  return connect.apply(this, args);
};
