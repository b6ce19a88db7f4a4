// What is behind the gate: the screens for somebody who has signed in.

import { customerScreen } from "./screens/customer.js";
import { findScreen } from "./screens/find.js";
import { joinScreen } from "./screens/join.js";
import { itemScreen, itemSearchScreen } from "./screens/item.js";
import { myDayScreen } from "./screens/my_day.js";
import { outboxScreen } from "./screens/outbox.js";

export { resolveCode } from "./finding.js";
export { frame } from "./frame.js";
export { isShowing } from "./screens/showing.js";

/** The screen of a route. */
export function screenFor({ place, id }, tools) {
  if (place === "customer" && id) return customerScreen({ ...tools, id });
  if (place === "item" && id) return itemScreen({ ...tools, id });
  if (place === "item") return itemSearchScreen(tools);
  if (place === "join") return joinScreen(tools);
  if (place === "day") return myDayScreen();
  if (place === "outbox") return outboxScreen();
  return findScreen(tools);
}
