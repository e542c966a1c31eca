/**
 * Words that facts are made of. Names are an adjective and a noun; answers are common words, most of
 * which are one token in any vocabulary of English.
 */
const list = (words: string): readonly string[] => Object.freeze(words.trim().split(/\s+/));

export const ADJECTIVES = list(`
  amber ancient bitter blue brass bright broken carved cedar clay copper crimson dusty early empty
  faded frozen gilded golden green grey heavy hidden hollow iron ivory late little locked lost marble
  narrow northern old painted pale quiet red round rusty scarlet secret silent silver slender small
  southern steel stone striped tall velvet violet western white winter wooden yellow young
`);

export const NOUNS = list(`
  anchor archive barrel basket bell boat bottle bridge cabin cabinet camera candle carpet castle chapel
  clock coat compass cottage drum engine falcon farm ferry fiddle fountain garden gate glove hammer
  harbour hat helmet horse island jacket kettle kitchen ladder lamp lantern library lighthouse mill
  mirror museum needle oven parcel pillow pocket quarry ring saddle school shelf ship shovel station
  stove tower trumpet tunnel umbrella vault violin wagon wheel window workshop
`);

export const VALUES = list(`
  air animal apple arm army art baby ball bank bar base beach bear bed bird blood board body bone book
  box boy bread brother bus cake camp car card cat cell chair chance child church circle city class
  cloud club coast coffee cold color corn country cow cup dance day deal desk dog door dream dress
  drink earth east edge egg energy evening eye face family farm father fear field fire fish flag floor
  flower food foot forest friend fruit game gas gift girl glass gold grass guard gun hair hall hand
  head heart heat hill history hole home hope horse hotel hour house ice iron key king kitchen lake
  land law leaf leg letter life light line lion list love machine mail map market meal meat milk mind
  minute moment money month moon morning mother mountain mouth movie music name neck news night noise
  north nose number ocean office oil paper park party peace pen people person phone picture plan plane
  plant plate poem point police pool power price prison queen race radio rain reason rice ring river
  road rock role roof room rose rule salt sand school sea season seat seed shape ship shirt shoe shop
  show sign silver sister size skin sky sleep smile snow soil song sound soup south space spring square
  staff stage star state steel step stone storm story street sugar summer sun table tail tea team
  thing time tool top tower town toy train tree truth uncle valley village voice wall war watch water
  wave west wheel wind window wine wing winter wolf woman wood word work world year youth zero
`);
