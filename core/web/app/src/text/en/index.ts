import { account } from "./account";
import { admin } from "./admin";
import { orders, story, storyParts } from "./admin-orders";
import { payoutReasons, payouts } from "./admin-payouts";
import { affiliate } from "./affiliate";
import { earnings } from "./affiliate-earnings";
import { common, error, nav, problem, shell, table } from "./common";
import { conversionTypes, states } from "./states";
import { support } from "./support";
import { why } from "./why";

export const en = { account, admin, affiliate, common, conversionTypes, earnings, error, nav, orders, payoutReasons, payouts, problem, shell, states, story, storyParts, support, table, why };
