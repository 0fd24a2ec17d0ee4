/** A day in front of the picture, made up from a few real messages. Run by test_soak.py before the page's own scripts. */

// A real socket whose messages can be replaced by ours.
(() => {
  const Real = window.WebSocket;
  window.WebSocket = class extends Real {
    constructor(...all) {
      super(...all);
      window.soak = { deaf: false, hear: null, traffic: null, seq: 0, count: 0 };
    }

    set onmessage(hear) {
      window.soak.hear = hear;
      super.onmessage = (event) => {
        if (window.soak.deaf) return;
        const message = JSON.parse(event.data);
        window.soak.seq = Math.max(window.soak.seq, message.seq ?? 0);
        if (message.type === "traffic" && message.calls.length) window.soak.traffic = message;
        hear(event);
      };
    }
  };
})();

/** What there is to begin with: pods that will be replaced, and the routes through them. */
async function prepare(soak) {
  const { entities, routes } = await (await fetch("snapshot")).json();
  soak.deaf = true;
  soak.epoch = soak.traffic.epoch;
  soak.now = soak.traffic.time;
  soak.born = new Map(entities.map((entity) => [entity.id, entity]));
  soak.pods = [...soak.born.keys()].filter((id) => id.startsWith("pod:shop/api"));
  soak.routes = routes.filter((route) => route.waypoints.some((id) => soak.pods.includes(id)));
}

/** A pod dies and another takes its place, with routes of its own. @returns {any[]} the new routes */
function replace(soak, say) {
  const at = (soak.count / 10) % soak.pods.length;
  const old = soak.pods[at];
  const name = `api-soak-${soak.count}`;
  const pod = { ...soak.born.get(old), id: `pod:shop/${name}`, name, created: soak.now };
  soak.born.delete(old);
  soak.born.set(pod.id, pod);
  soak.pods[at] = pod.id;
  const moved = soak.routes.filter((route) => route.waypoints.includes(old));
  const fresh = moved.map((route, i) => ({ ...route, id: `s${soak.count}.${i}`, waypoints: route.waypoints.map((id) => (id === old ? pod.id : id)) }));
  soak.routes = [...soak.routes.filter((route) => !moved.includes(route)), ...fresh];
  const events = ["Killing", "Scheduled", "Started"].map((reason) => ({ id: `${name}.${reason}`, time: soak.now, wall: soak.now, type: "Normal", reason, message: name, ref: pod.id }));
  say({ type: "state", epoch: soak.epoch, seq: soak.seq + 1, base: soak.seq, time: soak.now, set: [pod], unset: [old], events, mass: null });
  soak.seq += 1;
  return fresh;
}

/** So many seconds go by: calls on all routes in each, every tenth another pod. @returns {Promise<number>} seconds since the beginning */
window.live = async (seconds) => {
  const { soak } = window;
  if (!soak.pods) await prepare(soak);
  // Hours pass for the page, too: what it counts over its last seconds is what these seconds brought, not hours of them.
  if (!soak.clock) {
    soak.clock = performance.now.bind(performance);
    soak.ahead = 0;
    performance.now = () => soak.clock() + soak.ahead;
  }
  const say = (message) => soak.hear({ data: JSON.stringify(message) });
  for (let i = 0; i < seconds; i += 1) {
    soak.now += 1;
    soak.ahead += 1000;
    soak.count += 1;
    const fresh = soak.count % 10 ? [] : replace(soak, say);
    const calls = soak.routes.map((route, at) => [route.id, 1, `${soak.epoch}.${soak.count}${at}`]);
    say({ ...soak.traffic, seq: soak.seq, time: soak.now, routes: fresh, calls });
    if (i % 120 === 119) await new Promise((done) => requestAnimationFrame(done));
  }
  return soak.count;
};
