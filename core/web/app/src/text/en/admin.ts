export const admin = {
  navPartners: "Partners",
  navSales: "Sales",
  navMoney: "Money",
  navHouse: "House",
};
