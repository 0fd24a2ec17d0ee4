/** Carries a file from one of our pages to the next, inside the browser. */

const DATABASE = "clusterviz";
const STORE = "handoff";
const KEY = "recording";
const ENDING = ".clusterviz.gz";

/** @returns {Promise<IDBDatabase>} */
function database() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @template T @param {IDBTransactionMode} mode @param {(store: IDBObjectStore) => IDBRequest<T>} work @returns {Promise<T>} */
async function inStore(mode, work) {
  const found = await database();
  return new Promise((resolve, reject) => {
    const transaction = found.transaction(STORE, mode);
    const request = work(transaction.objectStore(STORE));
    transaction.oncomplete = () => { found.close(); resolve(request.result); };
    transaction.onerror = () => { found.close(); reject(transaction.error); };
  });
}

/** @param {File[]} files @returns {File|undefined} the recording among them */
export function recordingAmong(files) {
  return files.find((file) => file.name.endsWith(ENDING));
}

/** Opens a recording on its page. @param {File} file */
export async function handOver(file) {
  await inStore("readwrite", (store) => store.put(file, KEY));
  location.href = "/replay/";
}

/** @returns {Promise<Blob|null>} what was handed over, once */
export async function takeOver() {
  const file = await inStore("readonly", (store) => store.get(KEY)).catch(() => null);
  if (file) await inStore("readwrite", (store) => store.delete(KEY));
  return file ?? null;
}
