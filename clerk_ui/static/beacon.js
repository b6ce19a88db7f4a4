// Osusume's beacon: what visitors of the shop look at, first party, only with their consent. See docs/beacon.md.
//
//   osusume("consent", true)                     the visitor agreed; false withdraws and deletes the cookie
//   osusume("view", { product_id: "49…" })       view, search, cart, favorite, content_view, recommend_click
//   osusume("visitor")                           the id to hand to your server at log-in, or null
//   osusume("flush")                             send now what waits
(function () {
  "use strict";
  var COOKIE = "osusume_visitor", QUEUE = "osusume_queue", SESSION = "osusume_session";
  var KINDS = ["view", "search", "cart", "favorite", "content_view", "recommend_click"];
  var YEAR = 395 * 86400, IDLE = 30 * 60000, MOST = 50, SOON = 400, SLOWEST = 60000;
  var script = document.currentScript, waiting = (window.osusume || {}).q || [];
  var data = (script && script.dataset) || {};
  var address = data.endpoint || (script ? new URL("/web/events", script.src).href : "/web/events");
  var queue = [], visitor = null, session = null, timer = 0, pause = 0, sending = false;

  function refusedByBrowser() {
    var signal = navigator.doNotTrack || window.doNotTrack;
    return navigator.globalPrivacyControl === true || signal === "1" || signal === "yes";
  }

  function random(length) {
    var bytes = crypto.getRandomValues(new Uint8Array(length));
    return Array.prototype.slice.call(bytes);
  }

  // Not crypto.randomUUID: pages without HTTPS do not have it.
  function uuid() {
    var bytes = random(16);
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    return bytes.map(function (byte, place) {
      return ([4, 6, 8, 10].indexOf(place) < 0 ? "" : "-") + (byte + 256).toString(16).slice(1);
    }).join("");
  }

  function newVisitor() {
    return "b." + btoa(String.fromCharCode.apply(null, random(16))).replace(/\+/g, "-").replace(/\//g, "_").slice(0, 22);
  }

  // Storage may be blocked, full, or throw on mere touch; then everything lives as long as the page.
  function stored(name, value) {
    try {
      if (value === undefined) return JSON.parse(sessionStorage.getItem(name));
      if (value === null) sessionStorage.removeItem(name);
      else sessionStorage.setItem(name, JSON.stringify(value));
    } catch (blocked) { /* nothing to do about it */ }
    return null;
  }

  function cookie() {
    try {
      var found = document.cookie.match(/(?:^|; )osusume_visitor=(b\.[\w-]{22})(?:;|$)/);
      return found && found[1];
    } catch (blocked) {
      return null;
    }
  }

  function keep(value, age) {
    try {
      document.cookie = COOKIE + "=" + value + "; Path=/; Max-Age=" + age + "; SameSite=Lax" +
        (data.domain ? "; Domain=" + data.domain : "") + (location.protocol === "https:" ? "; Secure" : "");
    } catch (blocked) { /* the id lives as long as the page */ }
  }

  function begin() {
    visitor = visitor || cookie() || newVisitor();
    keep(visitor, YEAR);
    queue = stored(QUEUE) || [];
    if (queue.length) soon(SOON);
  }

  function end() {
    clearTimeout(timer);
    visitor = session = null;
    queue = [];
    stored(QUEUE, null);
    stored(SESSION, null);
    keep("", 0);
  }

  function currentSession() {
    var now = Date.now();
    session = session || stored(SESSION);
    if (!session || now - session.at > IDLE) session = { id: uuid(), at: now, first: true };
    session.at = now;
    return session;
  }

  function text(value, most) {
    return value === undefined || value === null ? undefined : String(value).slice(0, most);
  }

  function record(kind, facts) {
    if (!visitor) return;
    facts = facts || {};
    var now = currentSession(), page = facts.page || location.pathname;
    queue.push({
      id: uuid(), at: now.at, session: now.id, kind: kind, product_id: text(facts.product_id, 64),
      content_id: text(facts.content_id, 64), page: text(page, 200), query: text(facts.query, 100),
      // where the visitor came from, without what stood in that address
      referrer: now.first && document.referrer ? text(document.referrer.split(/[?#]/)[0], 200) : undefined,
    });
    now.first = false;
    stored(SESSION, now);
    queue = queue.slice(-MOST);
    stored(QUEUE, queue);
    soon(SOON);
  }

  function soon(milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(send, milliseconds);
  }

  function body() {
    return JSON.stringify({ visitor: visitor, sent_at: Date.now(), events: queue });
  }

  function forget(ids) {
    queue = queue.filter(function (event) { return ids.indexOf(event.id) < 0; });
    stored(QUEUE, queue.length ? queue : null);
  }

  // As text/plain it needs no preflight, so that the last words of a page are still sent. An event leaves the queue
  // only once the server has said that it is stored; sent twice it is stored once, by its id.
  function send() {
    if (!visitor || !queue.length || sending) return;
    var sent = queue.map(function (event) { return event.id; }), who = visitor;
    sending = true;
    fetch(address, { method: "POST", body: body(), keepalive: true, credentials: "omit", referrerPolicy: "origin" })
      .then(function (answer) {
        var refused = answer.status >= 400 && answer.status < 500 && answer.status !== 429 && answer.status !== 408;
        if (!answer.ok && !refused) throw answer.status;
        if (who === visitor) forget(sent);
        pause = 0;
      })
      .catch(function () { pause = Math.min(SLOWEST, (pause || 1000) * 2); })
      .then(function () {
        sending = false;
        if (queue.length) soon(pause || SOON);
      });
  }

  function lastWords() {
    if (!visitor || !queue.length) return;
    try {
      if (navigator.sendBeacon && navigator.sendBeacon(address, body())) return;
    } catch (blocked) { /* the other way, then */ }
    fetch(address, { method: "POST", body: body(), keepalive: true, credentials: "omit" }).catch(function () {});
  }

  function command(name, value) {
    try {
      if (name === "visitor") return visitor;
      if (name === "consent") {
        if (value === true && !refusedByBrowser()) begin();
        else end();
        return visitor !== null;
      }
      if (name === "flush") return send();
      if (KINDS.indexOf(name) >= 0) return record(name, value);
      console.warn("osusume: no " + name);
    } catch (trouble) {
      console.warn("osusume:", trouble); // whatever it is, the shop goes on
    }
    return undefined;
  }

  window.osusume = command;
  if (refusedByBrowser()) end();
  else if (cookie()) begin(); // agreed on an earlier page
  waiting.forEach(function (call) { command.apply(null, call); });
  addEventListener("pagehide", lastWords);
  document.addEventListener("visibilitychange", function () { if (document.hidden) lastWords(); });
  addEventListener("online", function () { soon(0); });
})();
