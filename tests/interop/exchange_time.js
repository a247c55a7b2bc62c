// Loaded before a program (node --require): its clock follows the exchange's, wherever that was stepped to.
//
// A program on a machine whose clock is right would see the same; no package is changed for it.
'use strict';

const Real = Date;
let ahead = 0;

globalThis.Date = class Date extends Real {
  constructor(...parts) {
    if (parts.length) super(...parts);
    else super(Real.now() + ahead);
  }

  static now() {
    return Real.now() + ahead;
  }
};

globalThis.setExchangeTime = (ms) => {
  ahead = ms - Real.now();
};
