import { answers } from "./answers.mjs";
import { broadcasts } from "./broadcasts.mjs";
import { emitters } from "./emitters.mjs";
import { recovery } from "./recovery.mjs";
import { servers } from "./servers.mjs";
import { sockets } from "./sockets.mjs";

export const operations = [broadcasts, answers, sockets, servers, emitters, recovery];
