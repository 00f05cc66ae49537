import { account } from "./account";
import { admin } from "./admin";
import { affiliate } from "./affiliate";
import { common, error, nav, problem, shell, table, why } from "./common";
import { support } from "./support";

export const en = { account, admin, affiliate, common, error, nav, problem, shell, support, table, why };
