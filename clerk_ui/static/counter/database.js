// IndexedDB: the outbox, the last customers, and small values that outlive a reload.

const NAME = "osusume";
const VERSION = 1;
let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      const database = request.result;
      const outbox = database.createObjectStore("outbox", { keyPath: "sequence", autoIncrement: true });
      outbox.createIndex("id", "id", { unique: true });
      database.createObjectStore("customers", { keyPath: "customer_id" });
      database.createObjectStore("values");
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => {
        request.result.close();
        opened = null;
      };
      resolve(request.result);
    };
    request.onerror = () => {
      opened = null;
      reject(request.error);
    };
  });
  return opened;
}

/** One request's answer as a promise. */
export function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * Run `work(store)` in one transaction and wait until it is durable; what work resolves to is the answer.
 * A full disk shows as a QuotaExceededError.
 */
export async function within(store, mode, work) {
  const database = await open();
  const options = mode === "readwrite" ? { durability: "strict" } : {};
  const transaction = database.transaction(store, mode, options);
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new DOMException("aborted", "AbortError"));
    transaction.onerror = () => reject(transaction.error);
  });
  done.catch(() => {});
  try {
    const result = await work(transaction.objectStore(store));
    await done;
    return result;
  } catch (error) {
    try {
      transaction.abort();
    } catch {
      // already over
    }
    throw error;
  }
}

// Small values that a full disk did not take: they live as long as the page, which is better than a page that stops.
const homeless = new Map();

/** A small value by name; undefined where there is none. */
export async function readValue(name) {
  return homeless.has(name) ? homeless.get(name) : within("values", "readonly", (store) => answer(store.get(name)));
}

/** Keep a small value; `undefined` removes it. Answers whether it will outlive the page (not on a full disk). */
export async function keepValue(name, value) {
  try {
    await within("values", "readwrite", (store) => answer(value === undefined ? store.delete(name) : store.put(value, name)));
    homeless.delete(name);
    return true;
  } catch (error) {
    if (error?.name !== "QuotaExceededError") throw error;
    homeless.set(name, value);
    return false;
  }
}
