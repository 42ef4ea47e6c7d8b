/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the prose corpus; lexicon.h explains the notation. */
#include "bench/corpus/lexicon.h"

const char lexicon_nouns[] =
    "time way day thing year man/men place hand part week case point world problem house fact "
    "question room side night word eye life/lives idea door head morning group moment face name "
    "end child/children line road country reason story book town window hour letter family "
    "system month table voice body power change number form friend result street woman/women "
    "mind minute matter kind home car example garden field river evening step answer plan city "
    "view table foot/feet tree game law view effort office piece price order box chance sense "
    "paper wall floor figure arm boat ship bridge village summer winter course effect rule model "
    "school station corner song light sound colour level size shape period century decision "
    "difference difficulty method process structure report page chapter picture paragraph "
    "opinion thought memory dream fear hope promise mistake accident attempt argument agreement "
    "meeting conversation discussion visit journey trip walk holiday party dinner meal cup glass "
    "plate bottle knife/knives spoon coat hat shoe dress pocket bag key lock clock watch lamp "
    "candle chair bed desk shelf/shelves cupboard kitchen stair roof chimney gate fence yard barn "
    "stable path lane hill mountain valley lake shore island coast harbour beach forest wood "
    "bush flower leaf/leaves branch root seed bird dog cat horse cow sheep/sheep fish/fish "
    "animal insect stone rock cloud storm wind star moon sky/skies season spring autumn birthday "
    "crowd audience team club company shop market factory hospital church library museum theatre "
    "hotel restaurant bank court prison farm mill tower castle palace square tool machine engine "
    "wheel instrument weapon rope chain nail needle thread basket bucket barrel ladder screen map "
    "list note sign signal message newspaper article poem film speech lecture lesson course test "
    "examination experiment theory problem solution principle purpose aim goal target standard "
    "condition situation position role task duty job career profession trade skill talent habit "
    "custom tradition belief religion god prayer sin virtue crime punishment war battle enemy "
    "victory defeat peace border nation state government minister election vote party policy tax "
    "budget debt loan payment bill account sum amount quantity share profit loss cost value "
    "advantage benefit risk danger threat crisis/crises event occasion surprise secret mystery "
    "puzzle "
    "clue trick joke smile laugh cry tear whisper shout gesture glance look silence shadow "
    "surface edge top bottom middle centre front back circle row pile heap pair dozen couple "
    "majority minority series range variety source origin cause consequence influence factor "
    "feature quality detail aspect element component unit section department committee council "
    "member leader partner colleague neighbour stranger guest host visitor customer passenger "
    "generation ancestor parent mother father brother sister son daughter uncle aunt cousin "
    "husband wife/wives baby widow orphan hero witness victim suspect volunteer expert beginner";

const char lexicon_mass_nouns[] =
    "water work money time light air help food love news information knowledge experience "
    "evidence trouble interest attention business fire blood paper music history nature weather "
    "rain snow ice heat cold sleep death truth luck fun pleasure pain anger sorrow joy happiness "
    "beauty courage patience pride shame guilt respect trust faith freedom justice order progress "
    "growth strength energy speed space distance darkness dust mud sand grass wood iron gold "
    "silver glass cloth silk wool cotton leather bread butter milk cheese meat sugar salt coffee "
    "tea wine beer tobacco smoke coal oil gas steam traffic travel transport trade industry labour "
    "wealth poverty hunger health medicine education advice permission protection support "
    "research practice training discipline equipment furniture luggage property land soil "
    "conversation company society culture art literature poetry philosophy religion science";

const char lexicon_role_nouns[] =
    "man/men woman/women doctor teacher boy girl farmer officer captain clerk lawyer student "
    "driver writer painter soldier sailor merchant priest judge engineer nurse cook gardener "
    "baker butcher carpenter blacksmith fisherman/fishermen servant housekeeper landlord tenant "
    "shopkeeper policeman/policemen inspector detective journalist editor printer librarian "
    "musician singer actor dancer scientist professor surgeon chemist mayor secretary manager "
    "director accountant banker mechanic pilot guard porter messenger traveller beggar "
    "thief/thieves "
    "scholar apprentice shepherd hunter miller weaver tailor innkeeper governor ambassador";

const char lexicon_adjectives[] =
    "good new old little great small long large young other different early important same late "
    "high big own certain old whole low possible short strong true free full special easy clear "
    "recent hard real dark open red white black warm cold hot deep wide narrow heavy light quiet "
    "simple common natural human local public private ordinary familiar strange sudden slow quick "
    "fine poor rich happy sad tired afraid ready able sure careful close single double empty round "
    "flat thin thick soft rough smooth sharp bright pale grey green blue yellow brown golden "
    "wooden "
    "broken dry wet clean dirty fresh sweet bitter sour wild tame gentle kind cruel brave clever "
    "foolish wise honest proud modest shy bold nervous calm angry cheerful lonely curious serious "
    "funny pleasant terrible awful dreadful wonderful beautiful ugly handsome elegant plain useful "
    "useless necessary impossible difficult complex obvious peculiar curious rare frequent regular "
    "constant permanent temporary modern ancient traditional original final previous following "
    "next last first second third main central chief general particular individual separate joint "
    "entire complete partial total average typical usual unusual normal enormous huge vast tiny "
    "tall broad straight crooked steep gradual distant remote nearby foreign native royal noble "
    "military political economic social moral legal official medical scientific practical "
    "technical "
    "physical mental emotional personal popular famous unknown secret hidden visible apparent "
    "evident doubtful uncertain reliable dangerous safe secure loose tight firm weak feeble severe "
    "mild harsh strict generous selfish patient eager reluctant willing anxious desperate hopeful "
    "grateful jealous innocent guilty dead alive sick healthy lame blind deaf dumb bare naked "
    "ragged neat tidy untidy crowded deserted silent noisy loud faint dull brilliant vivid dim "
    "gloomy sunny rainy windy foggy frozen silvery dusty muddy stony sandy grassy leafy ripe "
    "hollow solid liquid artificial genuine false absurd reasonable sensible ridiculous remarkable "
    "extraordinary considerable substantial slight minor major significant essential sufficient "
    "adequate excessive moderate abundant scarce precious valuable cheap expensive worthless";

const char lexicon_transitive_verbs[] =
    "have/had/had make/made/made take/took/taken see/saw/seen find/found/found know/knew/known "
    "give/gave/given use get/got/got leave/left/left hear/heard/heard keep/kept/kept "
    "hold/held/held "
    "bring/brought/brought want call follow need like watch meet/met/met open put_down "
    "show/showed/shown "
    "look_at move turn_to lose/lost/lost carry pass reach change build/built/built "
    "write/wrote/written "
    "read/read/read pay_for buy/bought/bought sell/sold/sold send/sent/sent lead/led/led "
    "break/broke/broken "
    "cut/cut/cut draw/drew/drawn throw/threw/thrown catch/caught/caught choose/chose/chosen "
    "wear/wore/worn drive/drove/driven eat/ate/eaten drink/drank/drunk pull push lift touch close "
    "cover fill kill save serve help visit join leave_behind accept refuse offer receive answer "
    "ask_for wait_for think_of speak_of/spoke_of/spoken_of deal_with/dealt_with/dealt_with pick_up "
    "give_up/gave_up/given_up carry_out set_up/set_up/set_up point_out "
    "bring_back/brought_back/brought_back "
    "take_away/took_away/taken_away put_off/put_off/put_off look_for listen_to depend_on belong_to "
    "refer_to turn_into run_into/ran_into/run_into fear love hate admire respect trust doubt "
    "believe understand/understood/understood forget/forgot/forgotten remember notice observe "
    "examine study discover invent create design plan+ produce develop improve repair destroy "
    "damage "
    "protect defend attack fight/fought/fought win/won/won beat/beat/beaten defeat capture arrest "
    "punish "
    "forgive/forgave/forgiven thank praise blame criticise accuse warn advise persuade convince "
    "encourage support oppose prevent avoid escape cause allow forbid/forbade/forbidden permit+ "
    "require demand request suggest recommend propose discuss describe explain mention announce "
    "publish print record measure count weigh calculate compare test prove confirm reject deny "
    "admit+ control manage direct rule organise arrange prepare cook bake boil wash clean "
    "sweep/swept/swept "
    "paint decorate mend sew/sewed/sewn knit+ tie fasten lock unlock hang/hung/hung drop+ raise "
    "lower "
    "shake/shook/shaken strike/struck/struck kick hit/hit/hit slap+ stroke kiss embrace greet "
    "introduce invite entertain amuse please annoy disturb frighten surprise shock disappoint "
    "comfort puzzle confuse teach/taught/taught learn train guide correct grow/grew/grown plant "
    "gather collect pick harvest feed/fed/fed hunt ride/rode/ridden chase cross enter climb "
    "explore "
    "occupy surround approach face share divide separate connect mix add_to remove replace restore "
    "reduce increase extend limit measure store load unload deliver export import earn "
    "spend/spent/spent "
    "waste owe lend/lent/lent borrow steal/stole/stolen rob+ hide/hid/hidden reveal conceal "
    "ignore neglect abandon reserve deserve enjoy regret suffer bear/bore/borne tolerate "
    "inherit possess own lack contain include involve affect influence determine shape reflect "
    "express represent imply resemble imitate copy translate edit sign seal tear/tore/torn burn "
    "bury dig/dug/dug crush twist bend/bent/bent stretch squeeze scatter spread/spread/spread";

const char lexicon_intransitive_verbs[] =
    "go/went/gone come/came/come stand/stood/stood sit/sat/sat live work walk run/ran/run "
    "begin/began/begun stop+ remain stay wait return die fall/fell/fallen rise/rose/risen arrive "
    "appear disappear happen continue sleep/slept/slept wake_up/woke_up/woken_up "
    "speak/spoke/spoken "
    "talk laugh smile cry listen look_around go_on/went_on/gone_on come_back/came_back/come_back "
    "go_away/went_away/gone_away sit_down/sat_down/sat_down stand_up/stood_up/stood_up "
    "get_up/got_up/got_up "
    "turn_round set_out/set_out/set_out grow_up/grew_up/grown_up give_in/gave_in/given_in "
    "break_down/broke_down/broken_down wander hurry travel sail swim/swam/swum fly/flew/flown "
    "float sink/sank/sunk drift flow move turn change grow/grew/grown develop improve succeed fail "
    "lie/lay/lain lean kneel/knelt/knelt bow nod+ shrug+ sigh groan whisper shout scream "
    "sing/sang/sung "
    "dance play fight/fought/fought quarrel agree disagree hesitate pause rest shine/shone/shone "
    "burn glow fade tremble shiver breathe cough dream think/thought/thought wonder hope pray "
    "suffer recover survive escape vanish emerge gather meet/met/met part settle wither bloom "
    "blossom ripen rot+ rust crack collapse explode spread/spread/spread end matter last vary "
    "differ "
    "exist occur respond react retire resign vote march advance retreat stumble slip+ crawl "
    "creep/crept/crept";

const char lexicon_clause_verbs[] =
    "say/said/said think/thought/thought know/knew/known believe feel/felt/felt hope see/saw/seen "
    "find/found/found suppose understand/understood/understood remember hear/heard/heard explain "
    "realise imagine admit+ declare insist argue suspect notice discover fear doubt claim suggest "
    "announce observe complain decide agree assume conclude guess swear/swore/sworn learn report "
    "promise pretend confess reply remark whisper";

const char lexicon_infinitive_verbs[] =
    "begin/began/begun want try decide seem have/had/had hope like learn refuse manage continue "
    "appear fail prefer+ plan+ attempt promise expect wish agree mean/meant/meant tend hesitate "
    "intend start offer arrange happen afford choose/chose/chosen pretend long threaten struggle";

const char lexicon_adverbs[] =
    "slowly quickly well quietly suddenly carefully easily together alone again clearly finally "
    "gently badly hard early late immediately at_once in_silence with_care without_a_word "
    "without_difficulty silently softly loudly calmly angrily gladly sadly happily eagerly "
    "patiently anxiously nervously politely rudely kindly coldly warmly proudly bravely foolishly "
    "wisely honestly seriously cheerfully thoughtfully absently firmly tightly loosely deeply "
    "heavily lightly freely openly secretly publicly privately completely entirely partly largely "
    "gradually steadily rapidly hastily abruptly smoothly roughly neatly properly correctly "
    "exactly "
    "perfectly reasonably with_great_pleasure with_some_difficulty in_vain by_accident on_purpose "
    "in_a_hurry in_the_same_way as_well as_usual for_a_while for_ever once_more side_by_side "
    "step_by_step one_by_one little_by_little so_far more_or_less";

const char lexicon_frequency_adverbs[] =
    "never always often still only also soon now then just already really once sometimes usually "
    "seldom hardly almost at_last even simply probably certainly perhaps merely scarcely rarely "
    "actually apparently eventually naturally generally frequently occasionally barely nearly";

const char lexicon_place_phrases[] =
    "in_the_morning at_home in_the_house at_the_door on_the_table in_the_street at_the_window "
    "in_the_garden by_the_fire in_the_world in_the_country on_the_other_side in_the_corner "
    "in_the_middle_of_the_room at_the_end_of_the_street on_the_floor on_the_hill by_the_river "
    "across_the_road in_the_kitchen out_of_the_window up_the_stairs down_the_road in_the_dark "
    "on_the_wall behind_the_house under_the_trees in_front_of_the_house at_the_station in_the_city "
    "in_the_distance on_the_way_home along_the_shore at_the_back_of_the_shop in_his_pocket "
    "in_her_hand "
    "over_the_bridge through_the_wood at_the_bottom_of_the_hill on_both_sides from_top_to_bottom "
    "in_the_shade upstairs downstairs outside indoors abroad everywhere nearby not_far_away "
    "overhead";

const char lexicon_time_phrases[] =
    "for_a_moment at_first that_day in_the_evening the_next_morning after_a_while at_night "
    "for_a_long_time that_night every_day in_the_end the_next_day last_year at_the_same_time "
    "some_time_ago in_those_days for_the_first_time from_time_to_time a_few_days_later all_day "
    "in_the_afternoon for_several_years a_long_time_ago before_dinner after_breakfast this_time "
    "at_noon on_Sunday in_the_spring in_the_summer during_the_war until_midnight for_many_years "
    "in_recent_years at_the_moment at_the_beginning_of_the_year last_week on_Monday_morning "
    "every_Saturday twice_a_week by_the_end_of_the_month since_then in_due_course nowadays "
    "the_day_before_yesterday a_hundred_years_ago in_the_course_of_the_day early_in_the_morning";

const char lexicon_openers[] =
    "however of_course at_first in_fact for_example after_all in_the_end on_the_other_hand "
    "as_a_result at_last as_usual in_this_way therefore moreover on_the_contrary as_a_rule "
    "to_be_sure at_any_rate in_other_words by_the_way in_general to_my_surprise "
    "as_a_matter_of_fact "
    "for_instance in_short above_all in_spite_of_this for_this_reason nevertheless unfortunately "
    "fortunately finally meanwhile besides instead strangely_enough sooner_or_later now_and_then "
    "first_of_all in_addition even_so all_the_same from_this_point_of_view generally_speaking "
    "up_to_a_point if_anything to_begin_with what_is_more in_any_case at_the_same_time naturally";

const struct lexicon_topic lexicon_topics[LEXICON_TOPICS] = {
    {"sea",
     "ship sail deck mast captain crew harbour wave anchor storm sailor port voyage cabin rope "
     "lighthouse reef tide gale island net hull rudder compass chart oar cargo pier dock cliff "
     "fisherman/fishermen gull whale bay horizon lantern schooner wreck shoal current",
     "rigging salt_water spray fog canvas timber rum seaweed ballast",
     "rough calm northern salty "
     "deep seaworthy stormy leeward overdue drowned",
     "sail steer haul launch board moor sight unload tow rig+"},
    {"law",
     "court judge case lawyer witness jury law contract claim party clause trial verdict sentence "
     "appeal statute right defendant plaintiff prosecutor crime offence hearing testimony document "
     "signature obligation penalty licence dispute settlement precedent petition inquiry oath",
     "evidence justice legislation liability negligence bail custody jurisdiction damages",
     "legal guilty lawful binding reasonable written valid civil criminal liable",
     "sue charge sentence accuse acquit+ uphold/upheld/upheld overturn sign breach enforce"},
    {"garden",
     "garden rose bed seed plant tree root hedge lawn border shrub bulb flower apple pear orchard "
     "greenhouse spade rake pot gardener bee butterfly weed leaf/leaves stem petal vine cutting "
     "potato bean cabbage onion carrot tomato/tomatoes worm slug frost compost_heap wheelbarrow",
     "soil compost shade mulch moss ivy lavender thyme manure rainwater",
     "green ripe fragrant hardy shady fertile overgrown early_flowering sheltered annual",
     "plant water prune dig/dug/dug sow/sowed/sown weed graft pick trim+ cultivate"},
    {"medicine",
     "patient doctor nurse hospital disease symptom treatment drug dose operation wound fever "
     "surgeon ward infection heart lung bone muscle nerve organ diagnosis/diagnoses examination "
     "prescription "
     "injection vaccine virus side_effect cell tissue tumour bandage clinic pulse recovery "
     "epidemic",
     "medicine pain blood pressure inflammation anaesthesia sleep nausea immunity insulin",
     "acute chronic clinical medical sick contagious surgical mild severe internal",
     "treat cure diagnose examine prescribe operate_on infect heal inject monitor"},
    {"railway",
     "train station platform engine carriage ticket passenger guard driver signal tunnel bridge "
     "line timetable conductor compartment track junction porter whistle locomotive wagon sleeper "
     "crossing embankment depot express boiler brake coupling journey luggage_rack waiting_room",
     "steam coal smoke luggage freight traffic grease gravel",
     "late crowded southern underground "
     "electric empty fast single-track punctual provincial",
     "catch/caught/caught miss board delay couple shunt stoke reserve inspect drive/drove/driven"},
    {"kitchen",
     "kitchen oven pot pan recipe dish meal sauce soup cake pie egg onion potato/potatoes spoon "
     "knife/knives bowl plate cook chef guest table glass bottle loaf/loaves apple lemon mushroom "
     "herb spice apron stove kettle jar lid slice layer pinch cupful teaspoon ingredient",
     "flour butter sugar salt pepper milk cream dough garlic parsley olive_oil broth cinnamon",
     "fresh ripe salted sweet thick tender crisp golden raw sour",
     "boil fry bake roast stir+ chop+ slice peel season serve taste pour mix grate"},
    {"science",
     "experiment theory measurement particle atom electron field force wave result "
     "hypothesis/hypotheses "
     "instrument sample observation telescope planet star galaxy model equation value curve "
     "temperature error method laboratory scientist paper discovery reaction molecule crystal "
     "frequency magnet lens constant prediction spectrum orbit",
     "energy light mass gravity radiation matter data hydrogen oxygen evidence research",
     "experimental theoretical magnetic electric precise constant linear nuclear thermal optical",
     "measure observe predict calculate detect verify derive emit+ absorb test"},
    {"war",
     "army soldier officer general regiment battle enemy gun attack trench company bridge order "
     "fort camp prisoner wound retreat campaign front flank column scout cannon rifle shell tank "
     "truce treaty garrison siege patrol barracks/barracks sentry uniform colonel sergeant medal",
     "artillery cavalry infantry ammunition discipline gunpowder courage mud hunger",
     "military wounded heavy hostile brave armed retreating fortified allied exhausted",
     "attack defend capture occupy besiege fortify command shell surround relieve"},
    {"finance",
     "bank price market share company investor loan rate fund account bond dividend currency "
     "dollar "
     "percent/percent quarter customer deposit asset contract budget deficit tax tariff index "
     "crisis/crises "
     "shareholder analyst trader exchange forecast merger portfolio pension mortgage bankruptcy",
     "money capital inflation credit profit growth debt interest revenue unemployment income",
     "financial economic annual average rising falling net foreign stable fiscal",
     "invest_in lend/lent/lent borrow buy/bought/bought sell/sold/sold cut/cut/cut raise forecast "
     "regulate audit"},
    {"school",
     "school teacher pupil class lesson book desk examination mark essay student course lecture "
     "university professor library term subject classroom blackboard headmaster exercise page "
     "question answer grade degree seminar notebook playground bell prize scholarship tutor "
     "faculty",
     "homework grammar mathematics history discipline ink chalk attendance Latin",
     "lazy bright clever academic absent strict primary written oral elementary",
     "teach/taught/taught learn study pass fail copy correct punish praise recite"},
    {"computer",
     "computer program machine user file system network server screen key keyboard memory disk "
     "error function variable line command message page database record index table query bug "
     "version test engineer programmer compiler process thread queue buffer packet password backup",
     "software code data hardware traffic storage bandwidth latency security documentation",
     "digital slow automatic reliable parallel invalid distributed temporary compatible redundant",
     "run/ran/run write/wrote/written store load test delete compress copy install debug+ measure"},
    {"travel",
     "road map hotel inn traveller guide village mountain pass valley border passport horse cart "
     "camp tent desert oasis temple market ruin river ferry bridge guidebook landscape mile night "
     "stranger custom tribe caravan mule path summit monastery souvenir suitcase postcard",
     "luggage dust sunlight hospitality scenery shelter drinking_water snow tea",
     "distant foreign dusty mountainous picturesque exhausted local ancient remote muddy",
     "cross reach visit climb explore hire follow photograph admire leave/left/left"},
    {"music",
     "song note piano violin orchestra concert player singer opera melody symphony conductor "
     "string rhythm voice audience stage composer chord choir drum flute trumpet score rehearsal "
     "theme movement performance dance tune bow key_signature harmony record pupil festival",
     "music applause silence harmony practice counterpoint jazz tempo volume",
     "musical slow loud classical sad modern gifted choral lyrical solemn",
     "play sing/sang/sung compose conduct rehearse tune perform hear/heard/heard applaud arrange"},
    {"house",
     "house room door window wall roof floor stair builder brick beam tile plank ladder hammer "
     "nail "
     "saw carpenter architect cellar attic chimney kitchen porch gate foundation pipe tap drain "
     "plumber lock hinge shutter curtain carpet lamp fireplace landlord tenant neighbour staircase",
     "wood stone plaster paint cement glass sawdust rent electricity damp wallpaper",
     "old wooden empty damp narrow spacious cracked solid draughty unfinished",
     "build/built/built repair paint rent plaster furnish demolish measure hang/hung/hung nail"},
};
