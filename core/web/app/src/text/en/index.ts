import { account } from "./account";
import { admin } from "./admin";
import { affiliate } from "./affiliate";
import { common, error, nav, problem, shell, table, why } from "./common";
import { conversionTypes, states } from "./states";
import { support } from "./support";

export const en = { account, admin, affiliate, common, conversionTypes, error, nav, problem, shell, states, support, table, why };
