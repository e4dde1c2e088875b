// The worker of clock.mjs.

setInterval(() => postMessage(null), 500);
